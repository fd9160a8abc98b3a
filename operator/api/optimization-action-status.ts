import { z } from 'zod';
import type { JsonObject } from '../lib/json.ts';
import { conditions, MAX_MESSAGE } from './condition.ts';
import { count, filled, observedGeneration, text, timestamp } from './fields.ts';

/** Every phase, in the order of a life. */
export const phases = [
  'Pending',
  'AwaitingApproval',
  'Queued',
  'Suspended',
  'Running',
  'Planned',
  'Succeeded',
  'Failed',
  'Cancelled',
  'Expired',
] as const;

/** The most entries of `status.blockers`, `status.plan.skip` and `status.plan.blocked`; the rest is a count. */
export const MAX_LISTED = 50;

/** The most characters of one line in a plan or a warning. */
export const MAX_LINE = 512;

const blocker = z
  .object({
    pod: filled(317, 'The pod as namespace/name.'),
    uid: filled(64, 'The UID of the pod, so that a namesake is told apart.'),
    cause: filled(128, 'Why it cannot go, in CamelCase, for example DisruptionBudget.'),
    budget: text(253, 'The PodDisruptionBudget that forbids it; absent for other causes.').optional(),
    currentHealthy: count('Healthy pods that the budget counts now.').optional(),
    desiredHealthy: count('Healthy pods that the budget asks for.').optional(),
    detail: text(MAX_LINE, 'One line more, such as the annotation that forbids it.').optional(),
    since: timestamp('When it was first seen to be blocked, RFC 3339.'),
    retryAt: timestamp('When it is tried again without any change, RFC 3339; absent where nothing is due.').optional(),
  })
  .describe('Why one pod cannot go yet.');

const plan = z.object({
  change: count('How many pods would be evicted or objects changed.'),
  changes: z
    .array(text(MAX_LINE, 'One value that would change, before → after.'))
    .max(MAX_LISTED)
    .describe('What would change, before → after, one line each, at most 50; absent where the parameters say it all.')
    .optional(),
  changesOmitted: count('How many more would change than are listed; absent for none.').optional(),
  skip: z
    .array(text(MAX_LINE, 'One object and the reason why it would be left alone.'))
    .max(MAX_LISTED)
    .describe('What would be left alone, one line each, at most 50.'),
  skipOmitted: count('How many more would be left alone than are listed; absent for none.').optional(),
  blocked: z
    .array(text(MAX_LINE, 'One object and the reason why it forbids or delays the action.'))
    .max(MAX_LISTED)
    .describe('What forbids or delays the action, one line each, at most 50.'),
  blockedOmitted: count('How many more forbid or delay it than are listed; absent for none.').optional(),
});

const progress = z.object({
  done: count('How many steps are done; for a drain: pods gone.'),
  total: count('How many steps there are; for a drain: pods that have to go.'),
  text: text(24, 'Both in one, for example 7/12; the column PROGRESS.'),
});

const ending = z.object({
  phase: z.enum(['Failed', 'Cancelled', 'Expired']).describe('The phase it will end in.'),
  reason: filled(128, 'Why, in CamelCase; the reason of Ready in the end.'),
  message: text(MAX_MESSAGE, 'Why, in words.'),
});

// zod's inferred type of a free object is a record of unknown; it is JSON because it came from the API server or goes there.
const result = z.looseObject({}).meta({
  description:
    'What a backend is told and what was changed, before and after; its members depend on the action. Lists in it are bounded by the action. ' +
    'Kept as it is over passes and restarts.',
  'x-kubernetes-preserve-unknown-fields': true,
}) as unknown as z.ZodType<JsonObject>;

/** The schema of `OptimizationAction.status`. */
export const optimizationActionStatus = z
  .object({
    observedGeneration: observedGeneration(),
    phase: z.enum(phases).describe('The life of the request in one word, for eyes; programs read the conditions.').optional(),
    target: text(
      512,
      'What it is aimed at, for example node/worker-3 or pod/shop/cart-0; one action at a time runs on a target.',
    ).optional(),
    targetUID: text(64, 'The UID of the target at the start; an object of the same name with another UID is never touched.').optional(),
    startedAt: timestamp('When it was started, RFC 3339, written before the first side effect; timeouts count from here.').optional(),
    finishedAt: timestamp('When it ended, RFC 3339; ttlSecondsAfterFinished counts from here.').optional(),
    progress: progress.describe('How far it is.').optional(),
    blockers: z
      .array(blocker)
      .max(MAX_LISTED)
      .meta({ description: 'Pods that cannot go yet and why, sorted by pod, at most 50.', 'x-kubernetes-list-type': 'atomic' })
      .optional(),
    blockersOmitted: count('How many more pods cannot go than are listed in blockers; absent for none.').optional(),
    plan: plan.describe('What would happen, without doing it: in mode Plan, and while an approval is awaited.').optional(),
    result: result.optional(),
    ending: ending
      .describe(
        'How it will end, recorded before what is to be undone is undone, so that a crash in between changes nothing; absent otherwise.',
      )
      .optional(),
    warnings: z
      .array(text(MAX_LINE, 'One thing worth knowing that hindered nothing.'))
      .max(20)
      .describe('Things worth knowing that hindered nothing, at most 20.')
      .optional(),
    conditions: conditions.optional(),
  })
  .describe('How far it is and how it ended; written by the operator only.');
