import { z } from 'zod';
import type { KubeObject, Resource } from '../kube/object.ts';
import { conditions } from './condition.ts';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { count, type DeepReadonly, filled, observedGeneration, rules, text, timestamp, type ValidationRule } from './fields.ts';
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
  clientCertificateSecretRef: z
    .object({ name: secretName })
    .describe('The Secret with tls.crt and tls.key, for an upstream that asks for a client certificate. Default: none.')
    .optional(),
});

const intervals = z.object({
  poll: interval('poll', '10s', '1s', 'between two questions for tasks', 'Default 10s.').default('10s'),
  metrics: interval('metrics', '60s', '5s', 'between two snapshots of the cluster', 'Default 60s.').default('60s'),
  heartbeat: interval('heartbeat', '30s', '5s', 'between two heartbeats', 'Default 30s, with StreamSpace 10s and at most 30s.').optional(),
});

/** The protocols that an upstream can speak. */
const PROTOCOLS = ['CloudOptim', 'StreamSpace'] as const;

/** What an agent id of StreamSpace looks like; its control plane lets others register, and never connect (streamspace.md 1.1). */
export const STREAM_SPACE_AGENT_ID = /^[A-Za-z0-9._-]{3,100}$/;

/** A rule about several members, for CEL and for TypeScript. */
interface SpecRule {
  readonly rule: ValidationRule;
  readonly holds: (spec: {
    readonly protocol: (typeof PROTOCOLS)[number];
    readonly url: string;
    readonly clusterID?: string | undefined;
    readonly agentID?: string | undefined;
    readonly region?: string | undefined;
    readonly vnc?: object | undefined;
    readonly intervals: { readonly heartbeat?: string | undefined };
  }) => boolean;
}

const specRules: readonly SpecRule[] = [
  {
    rule: {
      rule: "self.protocol == 'StreamSpace' || self.url.startsWith('http')",
      message: 'spec.url must be an http or https URL for the protocol CloudOptim, for example https://central.example.com',
      fieldPath: '.url',
    },
    holds: ({ protocol, url }) => protocol === 'StreamSpace' || url.startsWith('http'),
  },
  {
    rule: {
      rule: "self.protocol == 'StreamSpace' || has(self.clusterID)",
      message: 'spec.clusterID is required for the protocol CloudOptim: set it to the id under which the upstream knows this cluster',
      reason: 'FieldValueRequired',
    },
    holds: ({ protocol, clusterID }) => protocol === 'StreamSpace' || clusterID !== undefined,
  },
  {
    rule: {
      rule: `self.protocol != 'StreamSpace' || (has(self.agentID) && self.agentID.matches('${STREAM_SPACE_AGENT_ID.source}') && !self.agentID.contains('--'))`,
      message:
        'spec.agentID must be set for the protocol StreamSpace, to 3 to 100 letters, digits, dots, underscores and dashes without --, for example k8s-prod-eu-1',
    },
    holds: ({ protocol, agentID = '' }) => protocol !== 'StreamSpace' || (STREAM_SPACE_AGENT_ID.test(agentID) && !agentID.includes('--')),
  },
  {
    rule: {
      rule: "self.protocol != 'StreamSpace' || !has(self.intervals) || !has(self.intervals.heartbeat) || duration(self.intervals.heartbeat) <= duration('30s')",
      message: 'spec.intervals.heartbeat must be at most 30s for the protocol StreamSpace, whose control plane gives an agent up after 45s',
      fieldPath: '.intervals.heartbeat',
    },
    holds: ({ protocol, intervals }) => protocol !== 'StreamSpace' || (parseDuration(intervals.heartbeat ?? '10s') ?? 0) <= 30,
  },
  {
    rule: {
      rule: "self.protocol == 'StreamSpace' || (!has(self.region) && !has(self.vnc))",
      message: 'spec.region and spec.vnc are for the protocol StreamSpace only: remove them',
    },
    holds: ({ protocol, region, vnc }) => protocol === 'StreamSpace' || (region === undefined && vnc === undefined),
  },
];

const clusterIDStays: ValidationRule = {
  rule: 'has(self.clusterID) == has(oldSelf.clusterID) && (!has(self.clusterID) || self.clusterID == oldSelf.clusterID)',
  message: 'spec.clusterID is immutable, tasks are known by it: create another OptimizationBackend',
  fieldPath: '.clusterID',
  reason: 'FieldValueForbidden',
};

/** The schema of `OptimizationBackend.spec`; `actions` are the names of the actions there are. */
export function optimizationBackendSpec(actions: readonly string[]) {
  return z
    .object({
      protocol: z
        .enum(PROTOCOLS)
        .describe('The protocol the upstream speaks: CloudOptim, or StreamSpace, whose control plane runs sessions.'),
      url: url(
        'url',
        ['http', 'https', 'ws', 'wss'],
        'The base URL of the upstream, http or https, for example https://central.example.com; with StreamSpace ws and wss as well.',
      ),
      webSocketURL: url('webSocketURL', ['ws', 'wss'], 'The WebSocket base URL, ws or wss. Default: derived from url.').optional(),
      clusterID: identity(
        'The id under which the upstream knows this cluster; immutable. Required but for StreamSpace, which knows the agent id only.',
      ).optional(),
      agentID: identity(
        'The id under which this operator registers, stable over restarts. Default: the cluster id followed by -agent; required with StreamSpace.',
      ).optional(),
      region: text(50, 'The region that the upstream is told; with StreamSpace only. Default: none.')
        .min(2, 'must have at least 2 characters')
        .optional(),
      vnc: z
        .object({
          enabled: z.boolean().default(false).describe('True tunnels desktops; needs the right to create pods/portforward. Default false.'),
        })
        .describe('The tunnel by which the users of the upstream reach VNC desktops; with StreamSpace only. Default: none.')
        .optional(),
      credentialsSecretRef: z
        .object({ name: secretName })
        .describe(
          'The Secret with the key api-key, read anew when it changes. Default: no key is sent, unless the operator made this object from its environment.',
        )
        .optional(),
      intervals: intervals
        .prefault({})
        .describe('How often the upstream is spoken to. Default: poll 10s, metrics 60s; heartbeat 30s, with StreamSpace 10s.'),
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
    .superRefine((spec, context) => {
      for (const { rule, holds } of specRules) if (!holds(spec)) context.addIssue(rule.message ?? rule.rule);
    })
    .meta(rules(...specRules.map(({ rule }) => rule), clusterIDStays))
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

/** The ids under which an upstream knows this cluster and this operator. */
export function idsOf({ clusterID, agentID }: Pick<OptimizationBackendSpec, 'clusterID' | 'agentID'>): {
  readonly clusterID: string;
  readonly agentID: string;
} {
  return { clusterID: clusterID ?? agentID ?? '', agentID: agentID ?? `${clusterID}-agent` };
}

/** How an upstream is doing. */
export type OptimizationBackendStatus = DeepReadonly<z.output<typeof optimizationBackendStatus>>;

/** One upstream. */
export type OptimizationBackend = KubeObject<OptimizationBackendSpec, OptimizationBackendStatus>;

function identity(description: string) {
  return filled(253, description).regex(/^[^\s]+$/, 'must not contain white space');
}

function url(field: string, schemes: readonly string[], description: string) {
  const either = schemes.join(', ').replace(/, (?=[^,]*$)/, ' or ');
  return filled(2048, description)
    .refine((value) => isURL(value, schemes), { message: `must be an absolute ${either} URL with a host` })
    .meta(
      rules(
        {
          rule: `isURL(self) && url(self).getScheme() in [${schemes.map((each) => `'${each}'`).join(', ')}] && url(self).getHostname() != ''`,
          message: `spec.${field} must be an absolute ${either} URL with a host, for example ${schemes.includes('https') ? 'https' : 'wss'}://central.example.com`,
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

function interval(field: string, example: string, least: string, what: string, fallback: string) {
  const words = `must be a duration of at least ${least} and at most 24h, for example ${example}`;
  return text(32, `The time ${what}, for example ${example} or 1m30s; at least ${least}, at most 24h. ${fallback}`)
    .refine((value) => inRange(parseDuration(value), parseDuration(least) ?? 0), { message: words })
    .meta(
      rules({
        rule: `self.matches('${DURATION_PATTERN}') && duration(self) >= duration('${least}') && duration(self) <= duration('24h')`,
        message: `spec.intervals.${field} ${words}`,
      }),
    );
}

function inRange(value: number | undefined, least: number): boolean {
  return value !== undefined && value >= least && value <= 86_400;
}
