import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attach, type ControlPlaneAccess } from './access.ts';
import { type Binaries, resolveBinaries } from './binaries.ts';
import { writeCredentials } from './credentials.ts';
import { freePort } from './free-port.ts';
import { createProcesses } from './processes.ts';
import type { Log } from './progress.ts';
import { startReaper } from './reaper.ts';

/** What to start: `audit` writes an audit log (default no), `log` takes progress lines (default standard error), `apiServerFlags` are added. */
export interface ControlPlaneOptions {
  audit?: boolean;
  log?: Log;
  apiServerFlags?: readonly string[];
}

/** A control plane of this process: etcd, API server, controllers, scheduler and kwok on loopback. */
export interface ControlPlane extends ControlPlaneAccess {
  /** Kills the API server as a crash would: connections break and its port refuses; all data stay in etcd. */
  stopApiServer(): Promise<void>;
  /** Starts the API server again on the same port with the same data and resolves when it is ready; throws when it is running. */
  startApiServer(): Promise<void>;
  /** Freezes the API server: connections are accepted by the system and never answered; resolves once that is so. */
  pauseApiServer(): Promise<void>;
  /** Lets a frozen API server go on. */
  resumeApiServer(): Promise<void>;
  /** Ends all processes and removes the temporary folder; may be called more than once. */
  close(): Promise<void>;
}

// Between the choice of a port and the start of the server somebody else may take the port.
const TRIES = 3;

/**
 * Starts a control plane and resolves when it is ready for nodes and pods, in about three seconds once the binaries are there. Rejects, with
 * the end of the log of the process that failed, and leaves nothing, when it does not start. It ends with this process at the latest.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binaries = await resolveBinaries(options.log ? { log: options.log } : {});
  for (let tries = 1; ; tries++) {
    try {
      return await boot(binaries, options);
    } catch (error) {
      const portTaken = error instanceof Error && error.message.includes('address already in use');
      if (!portTaken || tries === TRIES) throw error;
    }
  }
}

async function boot(binaries: Binaries, { audit = false, apiServerFlags = [] }: ControlPlaneOptions): Promise<ControlPlane> {
  const dir = await mkdtemp(join(tmpdir(), 'control-plane-'));
  const reaper = startReaper(dir);
  let closing: () => Promise<void> = () => reaper.close();
  try {
    const layout = { dir, port: await freePort(), kubeletPort: await freePort(), audit, more: apiServerFlags };
    const access = attach(await writeCredentials(layout, binaries));
    const processes = createProcesses(access, layout, reaper);
    closing = async () => {
      access.api.close();
      await processes.stop();
      await reaper.close();
    };
    await processes.start();
    return {
      ...access,
      stopApiServer: processes.stopApiServer,
      startApiServer: processes.startApiServer,
      pauseApiServer: processes.pauseApiServer,
      resumeApiServer: processes.resumeApiServer,
      close: closing,
    };
  } catch (error) {
    await closing();
    throw error;
  }
}
