import { z } from 'zod';
import { objectName } from '../actions/params.ts';
import { type DeepReadonly, filled, rules, text, type ValidationRule } from './fields.ts';
import { duration, home, retain, sessionResources, sessionWorkload } from './session-template.ts';

/** What a Session can be asked to be. */
export const SESSION_STATES = ['Running', 'Hibernated', 'Stopped'] as const;

/** The members of `Session.spec` that a SessionStart can carry too: all but the state. */
export const sessionRequest = z.object({
  user: filled(253, 'Whose session it is, in the words of whoever asked; immutable.'),
  templateRef: z
    .object({ name: objectName('The name of the SessionTemplate, in the namespace of the session.') })
    .describe('The template; either this or template. Immutable.')
    .optional(),
  template: sessionWorkload.describe('What it runs, written here; either this or templateRef. Immutable.').optional(),
  templateName: filled(253, 'What the template is called that is written here; for labels and people. Default: inline.').optional(),
  resources: sessionResources.describe('What it gets. Default: that of the template.').optional(),
  home: z
    .object({
      enabled: z.boolean().default(false).describe('Whether it has a home that outlives its pods. Default false. Immutable.'),
      retain: retain.optional(),
      ...home.omit({ retain: true }).shape,
    })
    .describe('Its home; what is not said here is as the template says. Default: none.')
    .optional(),
  idleTimeout: duration(
    'spec.idleTimeout',
    'How long it may be idle until it is hibernated, such as 30m. Default "": for ever.',
    'off when empty',
  ).optional(),
  maxDuration: duration(
    'spec.maxDuration',
    'How long it may run, counted from its start or wake, until it is stopped, such as 8h. Default "": for ever.',
    'off when empty',
  ).optional(),
  ttlAfterStopped: duration(
    'spec.ttlAfterStopped',
    'How long the object stays after it was stopped, such as 24h. Default "": until somebody deletes it.',
    'off when empty',
  ).optional(),
  backendRef: z
    .object({ name: objectName('The name of the OptimizationBackend.') })
    .describe('The backend that is told of its states. Immutable. Default: none, it belongs to the cluster alone.')
    .optional(),
  sessionID: filled(512, 'Its id in the words of the backend; immutable. Default: the name of the object.').optional(),
  tags: z.array(text(128, 'A word.')).max(32).describe('Words of the backend about it; nothing depends on them.').optional(),
});

const exactlyOneTemplate: ValidationRule = {
  rule: 'has(self.templateRef) != has(self.template)',
  message: 'set exactly one of spec.templateRef and spec.template: the name of a SessionTemplate, or what the session runs',
};

/** A member that may not change once the Session exists, and why. */
function immutable(field: string, why: string): ValidationRule {
  return {
    rule: `has(self.${field}) == has(oldSelf.${field}) && (!has(self.${field}) || self.${field} == oldSelf.${field})`,
    message: `spec.${field} is immutable, ${why}: make another Session`,
    fieldPath: `.${field}`,
    reason: 'FieldValueForbidden',
  };
}

const homeStays: ValidationRule = {
  rule: '(has(self.home) && self.home.enabled) == (has(oldSelf.home) && oldSelf.home.enabled)',
  message: 'spec.home.enabled is immutable, the claim of the home is made at the start: make another Session',
  fieldPath: '.home',
  reason: 'FieldValueForbidden',
};

/** The schema of `Session.spec`. */
export const sessionSpec = z
  .object({
    state: z
      .enum(SESSION_STATES)
      .default('Running')
      .describe(
        'Running: its pod runs. Hibernated: no pod, its home and settings are kept. Stopped: everything but its home is gone. Default Running.',
      ),
    ...sessionRequest.shape,
  })
  .meta(
    rules(
      exactlyOneTemplate,
      immutable('user', 'a session stays with its user'),
      immutable('templateRef', 'a session keeps what it runs'),
      immutable('template', 'a session keeps what it runs'),
      immutable('backendRef', 'the backend knows it by its id'),
      immutable('sessionID', 'the backend knows it by this id'),
      homeStays,
    ),
  )
  .describe('What the session should be.');

/** What a session should be. */
export type SessionSpec = DeepReadonly<z.output<typeof sessionSpec>>;

/** What a SessionStart says of the Session that it makes. */
export type SessionRequest = DeepReadonly<z.output<typeof sessionRequest>>;

/** What a Session can be asked to be. */
export type SessionState = (typeof SESSION_STATES)[number];
