import type { SessionRequest } from '../api/session-spec.ts';
import type { SessionWorkload } from '../api/session-template.ts';
import { readBytes, readMillicores } from '../kube/quantity.ts';

/** What a session takes of the ceilings: CPU in millicores, memory in bytes. */
export interface Demand {
  readonly cpu: number;
  readonly memory: number;
}

/** Takes nothing. */
export const NO_DEMAND: Demand = { cpu: 0, memory: 0 };

/** What neither the session nor its template says; the same as the schema describes. */
const DEFAULT_CPU = '1';
const DEFAULT_MEMORY = '2Gi';
const MEBIBYTE = 2 ** 20;

/** What a session takes: what it asks for itself, else what its template says, else the default. */
export function demandOf(request: Pick<SessionRequest, 'resources' | 'template'>, named: SessionWorkload | undefined): Demand {
  const template = request.template ?? named;
  return {
    cpu: readMillicores(request.resources?.cpu ?? template?.resources?.cpu ?? DEFAULT_CPU),
    memory: readBytes(request.resources?.memory ?? template?.resources?.memory ?? DEFAULT_MEMORY),
  };
}

/** Both together; `times` -1 takes the second one away. */
export function plus(one: Demand, other: Demand, times: 1 | -1 = 1): Demand {
  return { cpu: one.cpu + times * other.cpu, memory: one.memory + times * other.memory };
}

/** An amount of one of the two in the words of Kubernetes, such as 1500m and 2Gi. */
export function amountText(of: keyof Demand, amount: number): string {
  if (of === 'cpu') return amount % 1000 === 0 ? String(amount / 1000) : `${amount}m`;
  const mebibytes = Math.ceil(amount / MEBIBYTE);
  return mebibytes % 1024 === 0 ? `${mebibytes / 1024}Gi` : `${mebibytes}Mi`;
}
