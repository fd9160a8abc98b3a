import { z } from 'zod';
import type { ActionDefinition } from '../actions/action.ts';
import { filled, rules, text, timestamp, type ValidationRule } from './fields.ts';

const YEAR = 365 * 86_400;

const source = z.object({
  backend: filled(253, 'The OptimizationBackend, by name, that the task came from.'),
  taskID: filled(512, 'The id of the task as that backend gave it.'),
  requestedBy: text(256, 'Who asked, in the words of the backend; empty or absent where it does not say.').optional(),
  sessionID: filled(512, 'The session it is about, in the words of the backend, which is told of its state before the result.').optional(),
});

/** The members of `OptimizationAction.spec` that every action has. */
export const requestFields = z.object({
  mode: z
    .enum(['Execute', 'Plan'])
    .default('Execute')
    .describe('Execute does it; Plan writes what would happen into status.plan and nothing else anywhere. Default Execute.'),
  priority: z
    .int32()
    .min(1)
    .max(10)
    .default(5)
    .meta({ format: 'int32', description: 'Which of several waiting requests starts first: 1 first, 10 last. Default 5.' }),
  deadline: timestamp('RFC 3339; after it the action does not start, and a running one stops as Expired. Default: none.').optional(),
  targetUID: filled(
    64,
    'The UID of the target this request is meant for; a target of the same name with another UID is refused. Default: whichever is there at the start.',
  ).optional(),
  suspend: z
    .boolean()
    .default(false)
    .describe('True holds it before the start and pauses it between steps; deadline and timeout go on. Default false.'),
  cancel: z
    .boolean()
    .default(false)
    .describe('True stops it as Cancelled, with the compensation the action or a policy asks for; never false again. Default false.'),
  approval: z
    .enum(['Approved', 'Denied'])
    .describe('The answer where a policy asks for approval: Approved or Denied; written once. Default: none yet.')
    .optional(),
  ttlSecondsAfterFinished: z
    .int32()
    .min(0)
    .max(YEAR)
    .meta({
      format: 'int32',
      description:
        'Seconds after the end until this object is deleted, at most one year; a mirrored one stays until its result is taken. ' +
        'Default 86400 after a success, 604800 after any other end.',
    })
    .optional(),
  source: source.describe('Where the request came from; set for mirrored tasks only, by the operator. Default: none.').optional(),
});

const IMMUTABLE = ['mode', 'priority', 'deadline', 'targetUID', 'source'];

/** The schema of `OptimizationAction.spec` with one optional member per action. */
export function optimizationActionSpec(actions: readonly ActionDefinition[]) {
  const names = actions.map((each) => each.name) as [string, ...string[]];
  const members = Object.fromEntries(actions.map((each) => [each.member, member(each)]));
  return z
    .object({
      action: z.enum(names).describe(`What to do; the parameters stand in the member of that name, and no other: ${names.join(', ')}.`),
      ...members,
      ...requestFields.shape,
    })
    .meta(
      rules(
        ...actions.map(exactlyItsMember),
        ...['action', ...Object.keys(members), ...IMMUTABLE].map(immutable),
        cancelStays,
        approvalStays,
      ),
    )
    .describe('What to do; immutable but for suspend, cancel, approval and ttlSecondsAfterFinished.');
}

function member(action: ActionDefinition) {
  return action.params.describe(`Parameters of the action ${action.name}. ${action.summary}`).optional();
}

function exactlyItsMember(action: ActionDefinition): ValidationRule {
  const field = `spec.${action.member}`;
  return {
    rule: `(self.action == '${action.name}') == has(self.${action.member})`,
    messageExpression:
      `self.action == '${action.name}' ? '${field} is missing: set it to the parameters of the action ${action.name}' : ` +
      `'${field} does not belong to the action ' + self.action + ': remove it, or set spec.action to ${action.name}'`,
    message: `${field} must be set if and only if spec.action is ${action.name}`,
    fieldPath: `.${action.member}`,
  };
}

function immutable(field: string): ValidationRule {
  return {
    rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
    message: `spec.${field} is immutable: delete this object and create another one`,
    fieldPath: `.${field}`,
    reason: 'FieldValueForbidden',
  };
}

const cancelStays: ValidationRule = {
  rule: '!oldSelf.cancel || self.cancel',
  message: 'spec.cancel stays true once it is true: create another object to have it done after all',
  fieldPath: '.cancel',
  reason: 'FieldValueForbidden',
};

const approvalStays: ValidationRule = {
  rule: '!has(oldSelf.approval) || (has(self.approval) && self.approval == oldSelf.approval)',
  message: 'spec.approval is written once: create another object to be asked again',
  fieldPath: '.approval',
  reason: 'FieldValueForbidden',
};
