import type { Node } from '../kube/node.ts';
import type { JsonObject } from '../lib/json.ts';

/** Cloud load balancers send no traffic to a node with this label (FIELD.md M14). */
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';
/** Says on the node which action set the label; without it the label is not ours to take away. */
const EXCLUDED_BY = 'cloudoptim.io/excluded-from-load-balancers-by';

/** The part of a node's metadata that a patch changes. */
interface MetadataChange {
  readonly labels?: JsonObject;
  readonly annotations?: JsonObject;
}

/** Takes the node out of external load balancers; undefined where it is out already, by whomever. */
export function excludeChange({ labels }: Node, actor: string): MetadataChange | undefined {
  if (Object.hasOwn(labels, EXCLUDED)) return undefined;
  return { labels: { [EXCLUDED]: '' }, annotations: { [EXCLUDED_BY]: actor } };
}

/** Puts the node back, if it was one of our actions that took it out. */
export function includeChange({ labels, annotations }: Node): MetadataChange | undefined {
  if (annotations[EXCLUDED_BY] === undefined) return undefined;
  return { ...(Object.hasOwn(labels, EXCLUDED) ? { labels: { [EXCLUDED]: null } } : {}), annotations: { [EXCLUDED_BY]: null } };
}
