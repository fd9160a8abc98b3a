import type { ControlPlaneAccess } from '../cluster/access.ts';
import { type AuditEvent, lineTail } from '../cluster/audit-log.ts';

const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** The writes that the API server took from some users, read from its audit log as it grows. */
export class AuditTail {
  readonly #tail: ReturnType<typeof lineTail>;
  readonly #writes = new Map<string, string[]>();

  constructor(cp: ControlPlaneAccess) {
    if (!cp.auditLog) throw new Error('the control plane has no audit log');
    this.#tail = lineTail(cp.auditLog);
  }

  /**
   * What this user has written so far into the cluster, oldest first, as `patch nodes/n1` or `create pods/eviction shop/cart-0`. Of the operator's own
   * objects only deletions count, of Events and leases nothing.
   */
  async writesOf(user: string): Promise<readonly string[]> {
    // All others are passed over unread.
    await this.#tail((line) => line.includes('"system:serviceaccount:t-') && this.#note(JSON.parse(line)));
    return this.#writes.get(user) ?? [];
  }

  #note({ verb, stage, user, objectRef = {}, responseStatus }: AuditEvent): void {
    const { apiGroup, resource = '', subresource, namespace, name = '' } = objectRef;
    if (stage !== 'ResponseComplete' || !WRITES.has(verb) || (responseStatus?.code ?? 500) >= 300) return;
    if ((apiGroup === 'cloudoptim.io' && verb !== 'delete') || ['events', 'leases', 'configmaps'].includes(resource)) return;
    const what = subresource ? `${resource}/${subresource} ` : `${resource}${namespace ? ' ' : '/'}`;
    const writes = this.#writes.get(user.username) ?? [];
    writes.push(`${verb} ${what}${namespace ? `${namespace}/` : ''}${name}`);
    this.#writes.set(user.username, writes);
  }
}
