import { type ChildProcess, spawn } from 'node:child_process';
import { chown, copyFile, link, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Built } from './build.ts';

/** How a process ended, and what it wrote. */
interface Ended {
  readonly code: number | NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process in the image. */
export interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly ended: Promise<Ended>;
}

/** Where the base image has its Node. */
const NODE = 'nodejs/bin/node';

/** Starts processes in an image as the kubelet would under the Deployment's security context, as far as that goes without a container. */
export class Container {
  readonly #image: Built;
  readonly #ids: { readonly uid: number; readonly gid: number } | undefined;

  private constructor(image: Built) {
    const [uid = 0, gid = 0] = image.user.split(':').map(Number);
    this.#image = image;
    // Only root may become somebody else.
    this.#ids = process.getuid?.() === 0 ? { uid, gid } : undefined;
  }

  /** Puts the Node of this process where the base image has its own. */
  static async create(image: Built): Promise<Container> {
    const node = join(image.root, NODE);
    await mkdir(join(node, '..'), { recursive: true });
    // The same file where it is on the same disk: it has 120 MB.
    await link(process.execPath, node).catch(() => copyFile(process.execPath, node));
    return new Container(image);
  }

  /** Gives a file outside of the image to the user of the image, as a mounted Secret is. */
  async own(file: string): Promise<void> {
    if (this.#ids) await chown(file, this.#ids.uid, this.#ids.gid);
  }

  /**
   * Starts what CMD says, with more arguments, as the user of the image, with nothing in its environment but what ENV and the caller say. The
   * permission model of Node stands for the read-only root: every attempt to write anywhere, or to start a process, throws.
   */
  start(
    more: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
    command: readonly string[] = this.#image.command,
  ): Running {
    const { root, workdir, env: own } = this.#image;
    const options = [own.NODE_OPTIONS, '--permission', '--allow-fs-read=*'].filter((each) => each !== undefined).join(' ');
    const child = spawn(join(root, NODE), [...command, ...more], {
      cwd: join(root, workdir),
      env: { ...own, ...env, NODE_OPTIONS: options },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...this.#ids,
    });
    const output = { stdout: '', stderr: '' };
    for (const stream of ['stdout', 'stderr'] as const) {
      child[stream].setEncoding('utf8').on('data', (text: string) => {
        output[stream] += text;
      });
    }
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code: code ?? signal, ...output }));
    });
    return { child, stdout: () => output.stdout, ended };
  }
}
