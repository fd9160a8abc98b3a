import type { Node } from '../../kube/node.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Progress } from '../action.ts';
import type { Blocker } from '../blocker.ts';
import { type Cordoned, cordonResult } from '../cordoning.ts';
import { describeBlockers } from '../eviction/blockers.ts';
import { byText, count, listNames } from '../listing.ts';
import { type Failure, failed } from '../outcome.ts';
import { readSteps, recordSteps, type Step } from './escalation.ts';
import type { DrainRequest } from './look.ts';
import { describeRefusals, nameOf, type Sorted, skipCounts } from './verdicts.ts';
import { readVolumes, recordVolumes, type Volumes } from './volumes.ts';

const NAMED_REMAINING = 20;
const NAMED_WARNINGS = 20;

/** What a drain has done so far, as its recorded result says. */
export interface Begun {
  /** How many pods have had to go, from the first look on; grows when more appear. */
  readonly total: number;
  readonly cordon: JsonObject;
  /** Every warning since the start, although the pods it was about have gone (FIELD.md K17). */
  readonly warnings: readonly string[];
  /** What was done beyond evictions. */
  readonly steps: readonly Step[];
  /** Absent while no pod that has to go mounts a claim. */
  readonly volumes?: Volumes | undefined;
}

/** A drain that has done nothing yet. */
export const NOTHING_DONE: Begun & { readonly done: number } = { total: 0, done: 0, cordon: { changed: false }, warnings: [], steps: [] };

/** How far a drain is. */
export interface Count extends Begun {
  readonly done: number;
}

/** Reads what the pass before recorded; undefined before the node was cordoned and the pods were chosen. */
export function readBegun(result: JsonObject): Begun | undefined {
  const { total, cordon, warnings, escalation, volumes } = result;
  if (typeof total !== 'number' || typeof cordon !== 'object' || cordon === null || Array.isArray(cordon)) return undefined;
  const known = Array.isArray(warnings) ? warnings.filter((warning) => typeof warning === 'string') : [];
  return { total, cordon: cordon as JsonObject, warnings: known, steps: readSteps(escalation), volumes: readVolumes(volumes) };
}

/** The first record; volumes that an earlier drain left attached count as well. */
export function begunWith(look: Sorted, cordoned: Cordoned, { volumesAttached }: Node): Begun {
  const volumes = volumesIn(look, volumesAttached ? { attached: [] } : undefined);
  return { total: look.go.length, cordon: cordonResult(cordoned), warnings: look.warnings, steps: [], volumes };
}

/** From the first pod with a claim on the volumes of the node are watched over. */
export function volumesIn(look: Sorted, known: Volumes | undefined): Volumes | undefined {
  return known ?? (look.go.some((pod) => pod.claims) ? { attached: [] } : undefined);
}

/** The members of the result that every state has, so that a drain that is stopped half-way tells the truth too. */
export function drainResult({ total, cordon, done, warnings, steps, volumes }: Count, look: Sorted): JsonObject {
  return {
    total,
    evicted: done,
    remaining: look.go.length,
    skipped: skipCounts(look.skipped),
    warnings: allWarnings(warnings, look.warnings),
    cordon,
    ...recordVolumes(volumes),
    ...recordSteps(steps),
  };
}

/** The node is empty of what had to go, and a fresh list said so (FIELD.md I6, A12, A26). */
export function drained({ nodeName }: DrainRequest, counted: Count, look: Sorted): Progress {
  const deleted = new Set(counted.steps.map(({ uid }) => uid)).size;
  const further = deleted > 0 ? `, ${deleted} of them by escalation` : '';
  const message = `node ${nodeName} drained: ${count(counted.done, 'pod')} evicted${further}`;
  const detached = counted.volumes ? { ...counted, volumes: { ...counted.volumes, attached: [] } } : counted;
  return {
    state: 'succeeded',
    message,
    result: { ...drainResult(detached, look), verified: true },
    done: counted.done,
    total: counted.total,
  };
}

/** Some pods forbid the drain by their nature: nothing more is evicted (FIELD.md K16, I2). */
export function refused({ nodeName }: DrainRequest, counted: Count | undefined, look: Sorted): Failure {
  const pods = [...look.go, ...look.refused.map((verdict) => verdict.pod)];
  const known = counted ?? { ...NOTHING_DONE, total: pods.length };
  const first =
    counted && counted.done > 0
      ? `${count(counted.done, 'pod')} evicted from node ${nodeName}, then stopped by`
      : 'no pod evicted because of';
  const result = { ...drainResult(known, look), ...remaining(pods.map(nameOf)) };
  return failed('DrainBlocked', `${first} ${describeRefusals(look.refused)}`, { result, done: known.done, total: known.total });
}

/** What is left when the drain cannot go on, and why (FIELD.md K32, A9). */
export function leftOver(reason: string, why: string, counted: Count, look: Sorted, blockers: readonly Blocker[]): Failure {
  const names = look.go.map(nameOf);
  const causes = blockers.length > 0 ? `; ${describeBlockers(blockers)}` : '';
  const message = `${why}; ${counted.done} of ${count(counted.total, 'pod')} evicted, left: ${listNames(names)}${causes}`;
  const result = { ...drainResult(counted, look), ...remaining(names) };
  return failed(reason, message, { result, blockers, done: counted.done, total: counted.total });
}

/** A kind of warning keeps the pods it was first given for, so that the list does not change as they go. */
function allWarnings(known: readonly string[], found: readonly string[]): readonly string[] {
  const kind = (warning: string) => warning.slice(0, warning.indexOf(': '));
  const kinds = new Set(known.map(kind));
  return [...known, ...found.filter((warning) => !kinds.has(kind(warning)))].toSorted(byText).slice(0, NAMED_WARNINGS);
}

function remaining(names: readonly string[]): JsonObject {
  return { remaining: names.length, remainingPods: names.toSorted().slice(0, NAMED_REMAINING) };
}
