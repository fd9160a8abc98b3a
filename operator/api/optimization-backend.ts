import { z } from 'zod';
import type { KubeObject, Resource } from '../kube/object.ts';
import { conditions } from './condition.ts';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { count, type DeepReadonly, filled, observedGeneration, rules, text, timestamp } from './fields.ts';
import { GROUP, VERSION } from './group.ts';

/** The resource type of OptimizationBackend: one upstream. */
export const OPTIMIZATION_BACKENDS: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'optimizationbackends',
  kind: 'OptimizationBackend',
  namespaced: true,
};

const secretName = filled(253, 'The name of the Secret, in the namespace of this object.');

const tls = z.object({
  caBundleSecretRef: z
    .object({ name: secretName, key: filled(253, 'The key that holds the PEM certificates. Default ca.crt.').default('ca.crt') })
    .describe('The Secret with the certificates that sign the upstream. Default: the system’s own.')
    .optional(),
  insecureSkipVerify: z.boolean().default(false).describe('True accepts any certificate: for tests only. Default false.'),
});

const intervals = z.object({
  poll: interval('poll', '10s', '1s', 'between two questions for tasks'),
  metrics: interval('metrics', '60s', '5s', 'between two snapshots of the cluster'),
  heartbeat: interval('heartbeat', '30s', '5s', 'between two heartbeats'),
});

/** The schema of `OptimizationBackend.spec`; `actions` are the names of the actions there are. */
export function optimizationBackendSpec(actions: readonly string[]) {
  return z
    .object({
      protocol: z.enum(['CloudOptim']).describe('The protocol the upstream speaks. CloudOptim is the one that works today.'),
      url: url('url', ['http', 'https'], 'The base URL of the upstream, http or https, for example https://central.example.com.'),
      webSocketURL: url('webSocketURL', ['ws', 'wss'], 'The WebSocket base URL, ws or wss. Default: derived from url.').optional(),
      clusterID: identity('The id under which the upstream knows this cluster; immutable.').meta(
        rules({
          rule: 'self == oldSelf',
          message: 'spec.clusterID is immutable, tasks are known by it: create another OptimizationBackend',
          reason: 'FieldValueForbidden',
        }),
      ),
      agentID: identity(
        'The id under which this operator registers, stable over restarts. Default: the cluster id followed by -agent.',
      ).optional(),
      credentialsSecretRef: z
        .object({ name: secretName })
        .describe(
          'The Secret with the key api-key, read anew when it changes. Default: no key is sent, unless the operator made this object from its environment.',
        )
        .optional(),
      intervals: intervals.prefault({}).describe('How often the upstream is spoken to. Default: poll 10s, metrics 60s, heartbeat 30s.'),
      actions: z
        .array(z.enum(actions as [string, ...string[]]).describe('The name of an action.'))
        .max(32)
        .meta({
          description: 'What this upstream may ask for; a task for anything else is refused. Default: every action.',
          'x-kubernetes-list-type': 'set',
        })
        .optional(),
      suspend: z
        .boolean()
        .default(false)
        .describe('True takes no new tasks; reports, snapshots and heartbeats still go out. Default false.'),
      tls: tls.describe('How the upstream’s certificate is checked. Default: against the system’s authorities.').optional(),
    })
    .describe('Where an upstream is, who this cluster is to it, and what it may ask for.');
}

/** The schema of `OptimizationBackend.status`. */
export const optimizationBackendStatus = z
  .object({
    observedGeneration: observedGeneration(),
    registeredAs: text(253, 'The agent id that the upstream accepted.').optional(),
    lastContactTime: timestamp(
      'When the upstream last answered anything, RFC 3339; coarse, so that an idle operator writes little.',
    ).optional(),
    lastTaskTime: timestamp('When the last new task arrived, RFC 3339.').optional(),
    lastSnapshotTime: timestamp('When the upstream last took a snapshot, RFC 3339.').optional(),
    tasks: z
      .object({
        received: count('New tasks since this object exists; repeats do not count.'),
        running: count('Tasks that are recorded and not finished now.'),
        reported: count('Results that the upstream took.'),
        rejected: count('Tasks that never became an action: unknown, forbidden or malformed.'),
      })
      .describe('What became of its tasks, in numbers of tasks.')
      .optional(),
    lag: count('Results that wait to be taken by the upstream.').optional(),
    conditions: conditions.optional(),
  })
  .describe('How the upstream is doing; written by the operator only.');

/** Where an upstream is, who this cluster is to it, and what it may ask for. */
export type OptimizationBackendSpec = DeepReadonly<z.output<ReturnType<typeof optimizationBackendSpec>>>;

/** How an upstream is doing. */
export type OptimizationBackendStatus = DeepReadonly<z.output<typeof optimizationBackendStatus>>;

/** One upstream. */
export type OptimizationBackend = KubeObject<OptimizationBackendSpec, OptimizationBackendStatus>;

function identity(description: string) {
  return filled(253, description).regex(/^[^\s]+$/, 'must not contain white space');
}

function url(field: string, schemes: readonly string[], description: string) {
  const either = schemes.join(' or ');
  return filled(2048, description)
    .refine((value) => isURL(value, schemes), { message: `must be an absolute ${either} URL with a host` })
    .meta(
      rules(
        {
          rule: `isURL(self) && url(self).getScheme() in [${schemes.map((each) => `'${each}'`).join(', ')}] && url(self).getHostname() != ''`,
          message: `spec.${field} must be an absolute ${either} URL with a host, for example ${schemes[1]}://central.example.com`,
        },
        {
          rule: "!self.contains('@')",
          message: `spec.${field} must not contain credentials: put the key into the Secret of spec.credentialsSecretRef`,
        },
      ),
    );
}

function isURL(value: string, schemes: readonly string[]): boolean {
  const parsed = URL.parse(value);
  // What https:///x lacks, URL finds in the path.
  if (!/^\w+:\/\/[^/]/.test(value)) return false;
  return parsed !== null && schemes.includes(parsed.protocol.slice(0, -1)) && parsed.hostname !== '' && !value.includes('@');
}

function interval(field: string, fallback: string, least: string, what: string) {
  const words = `must be a duration of at least ${least} and at most 24h, for example ${fallback}`;
  return text(32, `The time ${what}, for example ${fallback} or 1m30s; at least ${least}, at most 24h. Default ${fallback}.`)
    .refine((value) => inRange(parseDuration(value), parseDuration(least) ?? 0), { message: words })
    .meta(
      rules({
        rule: `self.matches('${DURATION_PATTERN}') && duration(self) >= duration('${least}') && duration(self) <= duration('24h')`,
        message: `spec.intervals.${field} ${words}`,
      }),
    )
    .default(fallback);
}

function inRange(value: number | undefined, least: number): boolean {
  return value !== undefined && value >= least && value <= 86_400;
}
