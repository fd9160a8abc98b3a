import type { JsonObject, JsonValue } from '../../lib/json.ts';
import { formatTarget } from '../action.ts';
import { listNames } from '../listing.ts';
import { type Failure, failed } from '../outcome.ts';
import { type Change, isEmpty, partOf, STEPS, type Step, valuesOf } from './change.ts';
import type { Request } from './params.ts';
import { workloadTarget } from './workload.ts';

/** What stands in `status.result`: every value before and after, written there before the first effect, and which writes are known to be done. */
export interface Recorded {
  readonly change: Change;
  readonly written: readonly Step[];
}

/** The record that the passes before left; undefined when there is none. */
export function readRecord({ written, replicas, containers }: JsonObject): Recorded | undefined {
  if (!Array.isArray(written)) return undefined;
  // Written by `resultOf` and by nobody else: only the operator writes status.
  const change = { ...(replicas ? { replicas } : {}), ...(containers ? { containers } : {}) } as unknown as Change;
  return { change, written: written as readonly Step[] };
}

/** The record as `status.result` shows it. */
export function resultOf({ change, written }: Recorded): JsonObject {
  // A change is made of texts and numbers only.
  return { changed: written.length > 0, ...(change as unknown as Readonly<Record<string, JsonValue>>), written };
}

/** The record with what is done by now: what differs no longer was written by this action, be it that nobody could note it before a crash. */
export function brought({ change }: Recorded, left: Change): Recorded {
  return { change, written: STEPS.filter((step) => !isEmpty(partOf(change, step)) && isEmpty(partOf(left, step))) };
}

/** The record after one more write. */
export function withStep({ change, written }: Recorded, step: Step): Recorded {
  return { change, written: [...written, step] };
}

/** Whoever changes the same values while the action runs wins: it neither writes over them nor waits for them. */
export function supersededBy(request: Request, recorded: Recorded, left: Change): Failure | undefined {
  const foreign = foreignValues(recorded, left);
  if (foreign.length === 0) return undefined;
  const name = formatTarget(workloadTarget(request));
  return failed('Superseded', `${name} was changed by somebody else: ${listNames(foreign)}`, { result: resultOf(recorded) });
}

/**
 * The values that somebody else changed since they were recorded: neither as they were nor as they are to be, or put back after a write that
 * is known to be done. `left` is what differs now from what was asked for.
 */
function foreignValues({ change, written }: Recorded, left: Change): readonly string[] {
  const recorded = valuesOf(change);
  return [...valuesOf(left)].flatMap(([path, { from, to }]) => {
    const known = recorded.get(path);
    const step: Step = path === 'replicas' ? 'Replicas' : 'Template';
    return known?.from === from && !written.includes(step) ? [] : [`${path} is ${from ?? 'gone'}, not ${to}`];
  });
}
