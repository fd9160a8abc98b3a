import { isStatus } from '../../kube/error.ts';
import type { Pod } from '../../kube/pod.ts';
import { CLAIMS } from '../../kube/resources.ts';
import { nodeTopic, podsOnTopic } from '../../kube/topics.ts';
import type { JsonObject, JsonValue } from '../../lib/json.ts';
import type { Seconds } from '../../lib/next.ts';
import { formatSeconds } from '../../lib/time.ts';
import type { ActionContext, Progress } from '../action.ts';
import type { RequestMemory } from '../eviction/memory.ts';
import { listNames } from '../listing.ts';
import { failed } from '../outcome.ts';
import { timeLeft } from '../time-left.ts';
import type { DrainRequest } from './look.ts';
import { type Count, drainResult } from './result.ts';
import type { Sorted } from './verdicts.ts';

const NAMED_VOLUMES = 20;

/** What is known of the volumes of the pods that had to go; kept in the result, so that the wait outlives a restart. */
export interface Volumes {
  /** The PersistentVolumes that are still attached, by name. */
  readonly attached: readonly string[];
  /** When the pods had gone, RFC 3339; absent before that. */
  readonly since?: string;
}

/** Reads what an earlier pass recorded; undefined while no pod that has to go mounts a claim, and then nothing is ever asked. */
export function readVolumes(recorded: JsonValue | undefined): Volumes | undefined {
  return typeof recorded === 'object' && recorded !== null && !Array.isArray(recorded) ? (recorded as unknown as Volumes) : undefined;
}

/** The member of the result; absent where no pod had volumes. */
export function recordVolumes(volumes: Volumes | undefined): JsonObject {
  return volumes ? { volumes: { ...volumes, attached: volumes.attached.slice(0, NAMED_VOLUMES) } } : {};
}

/**
 * The pods are gone; waits until their volumes are detached, because a volume that is still attached when its node dies cannot be used
 * elsewhere for six minutes (FIELD.md M11, A23). Undefined when there is nothing to wait for.
 */
export async function waitForVolumes(
  params: DrainRequest,
  context: ActionContext,
  counted: Count,
  look: Sorted,
  mine: RequestMemory,
): Promise<Progress | undefined> {
  const { volumes } = counted;
  const { nodeName, volumeDetachTimeoutSeconds } = params;
  if (!volumes || volumeDetachTimeoutSeconds === 0) return undefined;
  const attached = await attachedVolumes(nodeName, look, context);
  if (attached.length === 0) return undefined;
  const since = volumes.since ?? formatSeconds(context.now);
  const waited = (context.now.getTime() - Date.parse(since)) / 1000;
  const left = Math.min(volumeDetachTimeoutSeconds - waited, timeLeft(context, params.timeoutSeconds));
  const known = { ...counted, volumes: { attached, since } };
  const result = drainResult(known, look);
  const message = `all pods that had to go have left node ${nodeName}; still attached: ${listNames(attached)}`;
  const { done, total } = counted;
  if (left <= 0) return failed('VolumesAttached', message, { result, done, total });
  // The controller that detaches a volume takes it off the status of the node; the growing pauses are for drivers where it does not.
  const changed = [nodeTopic(nodeName), podsOnTopic(nodeName)];
  const next = { kind: 'when', changed, orAfter: Math.min(left, pollAfter(mine)) } as const;
  return { state: 'running', reason: 'VolumesAttached', message, next, done, total, result };
}

const SHORTEST_POLL: Seconds = 0.5;

function pollAfter(mine: RequestMemory): Seconds {
  return Math.max(SHORTEST_POLL, mine.backoff('volumes'));
}

/** What is attached to the node, but for the volumes of pods that stay, as Karpenter counts. */
async function attachedVolumes(nodeName: string, look: Sorted, context: ActionContext): Promise<readonly string[]> {
  const attached = await context.cluster.listAttachedVolumes(nodeName, context.signal);
  if (attached.length === 0) return [];
  const kept = new Set(await Promise.all(claimsOf(look.skipped.map(({ pod }) => pod)).map((claim) => volumeOf(claim, context))));
  return attached.filter((name) => !kept.has(name)).toSorted();
}

interface Claim {
  readonly namespace: string;
  readonly name: string;
}

function claimsOf(pods: readonly Pod[]): readonly Claim[] {
  return pods.flatMap(({ namespace, claims = [] }) => claims.map((name) => ({ namespace, name })));
}

async function volumeOf({ namespace, name }: Claim, { cluster, signal }: ActionContext): Promise<string | undefined> {
  try {
    const { spec } = await cluster.get({ resource: CLAIMS, namespace, name }, signal);
    return typeof spec?.volumeName === 'string' ? spec.volumeName : undefined;
  } catch (error) {
    if (isStatus(error, 404)) return undefined;
    throw error;
  }
}
