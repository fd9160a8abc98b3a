import { type FileHandle, open } from 'node:fs/promises';
import type { ControlPlaneAccess } from '../cluster/access.ts';

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** The writes that the API server took from some users, read from its audit log as it grows. */
export class AuditTail {
  readonly #file: Promise<FileHandle>;
  readonly #writes = new Map<string, string[]>();
  #offset = 0;
  #rest = '';
  #reading: Promise<unknown> = Promise.resolve();

  constructor(cp: ControlPlaneAccess) {
    if (!cp.auditLog) throw new Error('the control plane has no audit log');
    this.#file = open(cp.auditLog);
  }

  /**
   * What this user has written so far into the cluster, oldest first, as `patch nodes/n1` or `create pods/eviction shop/cart-0`. Of the operator's own
   * objects only deletions count, of Events and leases nothing.
   */
  async writesOf(user: string): Promise<readonly string[]> {
    this.#reading = this.#reading.then(() => this.#read());
    await this.#reading;
    return this.#writes.get(user) ?? [];
  }

  async close(): Promise<void> {
    await (await this.#file).close();
  }

  async #read(): Promise<void> {
    const file = await this.#file;
    for (const buffer = Buffer.alloc(1 << 20); ; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, this.#offset);
      if (bytesRead === 0) return;
      this.#offset += bytesRead;
      const lines = (this.#rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) if (line.includes('"system:serviceaccount:t-')) this.#note(JSON.parse(line));
    }
  }

  #note({ verb, stage, user, objectRef = {}, responseStatus }: Awaited<ReturnType<ControlPlaneAccess['auditEvents']>>[number]): void {
    const { apiGroup, resource = '', subresource, namespace, name = '' } = objectRef;
    if (stage !== 'ResponseComplete' || !WRITES.has(verb) || (responseStatus?.code ?? 500) >= 300) return;
    if ((apiGroup === 'cloudoptim.io' && verb !== 'delete') || ['events', 'leases', 'configmaps'].includes(resource)) return;
    const what = subresource ? `${resource}/${subresource} ` : `${resource}${namespace ? ' ' : '/'}`;
    const writes = this.#writes.get(user.username) ?? [];
    writes.push(`${verb} ${what}${namespace ? `${namespace}/` : ''}${name}`);
    this.#writes.set(user.username, writes);
  }
}
