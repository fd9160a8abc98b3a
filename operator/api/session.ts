import { z } from 'zod';
import type { KubeObject, Resource } from '../kube/object.ts';
import type { Topic } from '../lib/next.ts';
import { conditions } from './condition.ts';
import { count, type DeepReadonly, filled, observedGeneration, text, timestamp } from './fields.ts';
import { GROUP, VERSION } from './group.ts';
import { SESSION_STATES, type SessionSpec } from './session-spec.ts';

/** The resource type of Session: one user's desktop or tool. */
export const SESSIONS: Resource = { group: GROUP, version: VERSION, plural: 'sessions', kind: 'Session', namespaced: true };

/** The life of a session in one word; `Running`, `Hibernated`, `Stopped` and `Failed` are settled (streamspace.md 8). */
export const SESSION_PHASES = [
  'Pending',
  'Starting',
  'Running',
  'Hibernating',
  'Hibernated',
  'Waking',
  'Stopping',
  'Stopped',
  'Failed',
] as const;

/** When it was last used (RFC 3339): on the Session or its pod, by whoever sees its users. */
export const LAST_ACTIVITY = 'cloudoptim.io/last-activity';
/** `true`, or the RFC 3339 time until which it is neither hibernated for idleness nor stopped for its age; set by its user on the Session. */
export const KEEP_AWAKE = 'cloudoptim.io/keep-awake';
/** An RFC 3339 time; later than `status.override.at` it ends the override, so that a session the operator hibernated wakes as its spec says. */
export const WAKE_REQUESTED = 'cloudoptim.io/wake-requested-at';
/**
 * Written by session actions: when (RFC 3339 with milliseconds), by which action (`namespace/name`) and what was last asked for (Start, Running,
 * Hibernated or Stopped), with a space between.
 */
export const INTENT = 'cloudoptim.io/intent';
/** `true`: at the stop the home goes too, whatever its policy says; written by a SessionStop with deletePVC. */
export const DELETE_HOME = 'cloudoptim.io/delete-home';

/** The finalizer that keeps a Session until its workload is gone. */
export const SESSION_FINALIZER = 'cloudoptim.io/session';

const override = z
  .object({
    state: z.enum(SESSION_STATES).describe('What it is instead: Running, Hibernated or Stopped.'),
    reason: filled(128, 'The cause in one CamelCase word, such as Idle or MaxDurationReached.'),
    by: filled(512, 'Who decided it: operator, or an OptimizationAction as namespace/name.'),
    at: timestamp('When, RFC 3339.'),
    generation: z
      .int()
      .min(0)
      .meta({ format: 'int64', description: 'The metadata.generation it was decided for; a later edit of the spec ends it.' }),
  })
  .describe('A decision that stands instead of spec.state, which somebody else owns, until the spec is edited.');

/** The schema of `Session.status`. */
export const sessionStatus = z
  .object({
    observedGeneration: observedGeneration(),
    phase: z
      .enum(SESSION_PHASES)
      .describe(`The life of the session in one word: ${SESSION_PHASES.join(', ')}.`)
      .optional(),
    phaseSince: timestamp('When it came into this phase, RFC 3339.').optional(),
    template: text(253, 'What its template is called; inline where nobody says.').optional(),
    desired: z.enum(SESSION_STATES).describe('What it should be: spec.state, or the override.').optional(),
    override: override.optional(),
    url: text(2048, 'Where it is reached inside the cluster; absent while nothing answers there.').optional(),
    port: z
      .int32()
      .min(1)
      .max(65_535)
      .meta({ format: 'int32', description: 'The port of the Service on which its desktop is served.' })
      .optional(),
    podName: text(253, 'Its pod.').optional(),
    podIP: text(64, 'The address of its pod.').optional(),
    nodeName: text(253, 'Where its pod runs.').optional(),
    claimName: text(253, 'The PersistentVolumeClaim of its home.').optional(),
    image: text(1024, 'The image it was last started with.').optional(),
    activeSince: timestamp('When it last began to start or wake, RFC 3339; its maximum duration counts from here.').optional(),
    lastActivityTime: timestamp('When it was last seen to be used, RFC 3339.').optional(),
    hibernation: z
      .object({
        replicas: count('How many replicas its Deployment had, which come back at the wake.'),
        reason: filled(128, 'Why, in one CamelCase word.'),
        keptBy: text(1024, 'Who else has a say in its replicas, as seen then: autoscalers, budgets, GitOps tools.').optional(),
        at: timestamp('Since when, RFC 3339.'),
      })
      .describe('What was changed to hibernate it, kept for the wake.')
      .optional(),
    usage: z
      .object({ cpu: text(64, 'Processor time, such as 250m.'), memory: text(64, 'Memory, such as 900Mi.') })
      .describe('What it used when last looked at, from metrics.k8s.io; absent without it.')
      .optional(),
    startSeconds: z.number().min(0).describe('How long its last start took until it was ready, in seconds.').optional(),
    wakeSeconds: z.number().min(0).describe('How long its last wake took until it was ready, in seconds.').optional(),
    reported: z
      .object({
        state: z.enum(['Running', 'Hibernated', 'Stopped', 'Failed']).describe('The state: Running, Hibernated, Stopped or Failed.'),
        podName: text(253, 'The pod it ran in.').optional(),
        at: timestamp('When, RFC 3339 with milliseconds.'),
      })
      .describe('What the backend was last told.')
      .optional(),
    conditions: conditions.optional(),
  })
  .describe('What the session is; written by the operator only.');

/** What a session is. */
export type SessionStatus = DeepReadonly<z.output<typeof sessionStatus>>;

/** A decision that stands instead of `spec.state`. */
export type SessionOverride = NonNullable<SessionStatus['override']>;

/** The life of a session in one word. */
export type SessionPhase = (typeof SESSION_PHASES)[number];

/** One user's desktop or tool. */
export type Session = KubeObject<SessionSpec, SessionStatus>;

/** Changes when the Session of this name does. */
export function sessionTopic(namespace: string, name: string): Topic {
  return `session/${namespace}/${name}`;
}

/** The id by which its backend knows a session. */
export function sessionIDOf({ spec, metadata }: Pick<Session, 'spec' | 'metadata'>): string {
  return spec?.sessionID ?? metadata.name;
}
