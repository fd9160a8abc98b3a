import { z } from 'zod';
import { formatSeconds } from '../lib/time.ts';
import { cut } from './cut.ts';
import { type DeepReadonly, filled, text, timestamp } from './fields.ts';

/** The most characters of a condition's message. */
export const MAX_MESSAGE = 2048;

const condition = z.object({
  type: filled(63, 'What is said something about, in CamelCase; unique in the list.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds: True, False or Unknown.'),
  reason: filled(128, 'The cause in one CamelCase word; crds/README.md lists them all.').regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/),
  message: text(MAX_MESSAGE, 'The cause in words that an on-call person can act on; may be empty.'),
  lastTransitionTime: timestamp('When the status last changed from one value to another, RFC 3339.'),
  observedGeneration: z
    .int()
    .min(0)
    .meta({
      format: 'int64',
      description: 'The metadata.generation that this condition speaks of; older than the object means out of date.',
    })
    .optional(),
});

/** The schema of `status.conditions`: a list-map by type, so that two field managers do not collide. */
export const conditions = z
  .array(condition)
  .max(16)
  .meta({
    description: 'What is known about the object, one entry per type; Stalled, Reconciling and Ready first.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['type'],
  });

/** One condition of a status. */
export type Condition = DeepReadonly<z.output<typeof condition>>;

/** What a caller says about one condition; times and generation are filled in. */
export type ConditionClaim = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>;

/** When and about which generation of the object a claim is made. */
export interface ClaimContext {
  readonly now: Date;
  readonly generation: number | undefined;
}

/** The condition of this type, if there is one. */
export function findCondition(list: readonly Condition[] | undefined, type: string): Condition | undefined {
  return list?.find((each) => each.type === type);
}

/** Whether the condition of this type is there and True. */
export function isTrue(list: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(list, type)?.status === 'True';
}

/** The list with this claim in it; lastTransitionTime moves only when the status does. */
export function setCondition(list: readonly Condition[] | undefined, claim: ConditionClaim, context: ClaimContext): readonly Condition[] {
  const before = findCondition(list, claim.type);
  const unchanged = before?.status === claim.status;
  const next: Condition = {
    type: claim.type,
    status: claim.status,
    reason: claim.reason,
    message: cut(claim.message, MAX_MESSAGE),
    lastTransitionTime: unchanged ? before.lastTransitionTime : formatSeconds(context.now),
    ...(context.generation === undefined ? {} : { observedGeneration: context.generation }),
  };
  return sorted([...(list ?? []).filter((each) => each.type !== claim.type), next]);
}

/** The list with all these claims in it. */
export function setConditions(
  list: readonly Condition[] | undefined,
  claims: readonly ConditionClaim[],
  context: ClaimContext,
): readonly Condition[] {
  return claims.reduce((sum, claim) => setCondition(sum, claim, context), list ?? []);
}

/** The list without the condition of this type. */
export function removeCondition(list: readonly Condition[] | undefined, type: string): readonly Condition[] {
  return sorted((list ?? []).filter((each) => each.type !== type));
}

const FIRST = ['Stalled', 'Reconciling', 'Ready'];

function sorted(list: readonly Condition[]): readonly Condition[] {
  return list.toSorted((a, b) => rank(a.type) - rank(b.type) || (a.type < b.type ? -1 : 1));
}

function rank(type: string): number {
  const index = FIRST.indexOf(type);
  return index < 0 ? FIRST.length : index;
}
