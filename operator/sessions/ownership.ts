import { GROUP } from '../api/group.ts';
import { SESSIONS, type Session } from '../api/session.ts';
import type { KubeObject } from '../kube/object.ts';
import { APP_LABEL, SESSION_LABEL } from './labels.ts';

/**
 * Whose an object is that has the name of one of ours. `ours` too is what carries our labels and has no controller: the reference agent made it
 * so. `going`: it is being deleted, or belongs to a Session of this name that is gone, and the garbage collector takes it.
 */
export function whose(object: KubeObject, session: Session): 'ours' | 'going' | 'foreign' {
  const { metadata } = object;
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  if (controller && controller.uid !== session.metadata.uid) {
    return controller.kind === SESSIONS.kind && controller.apiVersion.startsWith(`${GROUP}/`) ? 'going' : 'foreign';
  }
  const { app, [SESSION_LABEL]: name } = metadata.labels ?? {};
  if (!controller && (app !== APP_LABEL.app || name !== session.metadata.name)) return 'foreign';
  return metadata.deletionTimestamp ? 'going' : 'ours';
}

/** Who else has the name, for people. */
export function holderOf({ metadata }: KubeObject): string {
  const controller = metadata.ownerReferences?.find((owner) => owner.controller === true);
  return controller ? `it belongs to ${controller.kind} ${controller.name}` : 'it has not the labels of this session';
}
