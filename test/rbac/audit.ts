import type { ControlPlane } from '../cluster/control-plane.ts';
import { NAMESPACE, SERVICE_ACCOUNT } from './install.ts';
import type { Right } from './right.ts';

/** One request as the audit log has it. */
export type Request = Awaited<ReturnType<ControlPlane['auditEvents']>>[number];

const USER = `system:serviceaccount:${NAMESPACE}:${SERVICE_ACCOUNT}`;

/** All requests of the operator's ServiceAccount so far, oldest first. Those that the operator has an answer to are among them. */
export async function requestsOfOperator(cp: ControlPlane): Promise<readonly Request[]> {
  return (await cp.auditEvents()).filter(({ user }) => user.username === USER);
}

/** What everybody who is known may read, by the role system:public-info-viewer of every cluster. */
const PUBLIC = new Set(['/readyz', '/version']);

/** The rights that the API server asked for before it let this request pass. */
export function rightsNeeded({ verb, requestURI, objectRef, responseStatus }: Request): readonly Right[] {
  if (!objectRef?.resource) {
    const [path = ''] = requestURI.split('?');
    return PUBLIC.has(path) ? [] : [{ scope: 'cluster', group: '', resource: `the path ${path}`, verb }];
  }
  const { apiGroup: group = '', namespace, subresource } = objectRef;
  // What it may do itself everybody may ask, by the role system:basic-user of every cluster.
  if (group === 'authorization.k8s.io' && objectRef.resource === 'selfsubjectrulesreviews') return [];
  const resource = subresource ? `${objectRef.resource}/${subresource}` : objectRef.resource;
  const right: Right = { scope: namespace === NAMESPACE ? 'namespace' : 'cluster', group, resource, verb };
  // Server-side apply of an object that did not exist is audited as patch, and create is asked for as well.
  return verb === 'patch' && responseStatus?.code === 201 ? [right, { ...right, verb: 'create' }] : [right];
}

/** What was refused for want of a right, one line each, as the API server puts it: it names the right. */
export function refusals(requests: readonly Request[]): readonly string[] {
  const refused = requests.filter(({ responseStatus }) => responseStatus?.code === 401 || responseStatus?.code === 403);
  return [...new Set(refused.map(({ verb, requestURI, responseStatus }) => `${verb} ${requestURI}: ${messageOf(responseStatus)}`))];
}

function messageOf(status: { readonly code: number; readonly message?: string } | undefined): string {
  return status?.message ?? String(status?.code);
}

/**
 * Whether a request made while an action ran is of that action rather than of the loops that never rest: the standing watches and the lists
 * before them, which are of the whole cluster, the controllers in the operator's namespace, Events, and the usage for snapshots.
 */
export function isOfAction(request: Request): boolean {
  const { verb, requestURI, objectRef } = request;
  if (isOfSessionAction(request)) return true;
  if (verb === 'watch') return false;
  // Nobody watches attachments: a list of them is a drain's.
  const isDrains = requestURI.includes('fieldSelector=spec.nodeName') || objectRef?.resource === 'volumeattachments';
  if (verb === 'list' && objectRef?.namespace === undefined && !isDrains) return false;
  return objectRef?.namespace !== NAMESPACE && objectRef?.resource !== 'events' && objectRef?.apiGroup !== 'metrics.k8s.io';
}

/** In the operator's namespace too: the controller of Sessions neither gets nor creates any, and writes under other names. */
function isOfSessionAction({ verb, requestURI, objectRef }: Request): boolean {
  if (objectRef?.apiGroup !== 'cloudoptim.io' || objectRef.resource !== 'sessions') return false;
  return verb === 'get' || verb === 'create' || /fieldManager=cloudoptim-(session-actions|override)/.test(requestURI);
}
