import { z } from 'zod';
import { objectName, quantity } from '../actions/params.ts';
import type { KubeObject, Resource } from '../kube/object.ts';
import type { Topic } from '../lib/next.ts';
import { conditions } from './condition.ts';
import { DURATION_PATTERN, parseDuration } from './duration.ts';
import { type DeepReadonly, filled, observedGeneration, rules, text } from './fields.ts';
import { GROUP, VERSION } from './group.ts';

/** The resource type of SessionTemplate: what the sessions that name it run. */
export const SESSION_TEMPLATES: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'sessiontemplates',
  kind: 'SessionTemplate',
  namespaced: true,
};

/** A duration as Go writes it; the empty text, where it is allowed, switches off what it is about. */
export function duration(field: string, description: string, off: 'off when empty' | 'never empty' = 'never empty') {
  const empty = off === 'off when empty';
  const message = `${field} must be a duration such as 30m or 1h30m${empty ? ', or "" for none' : ''}`;
  return text(32, description)
    .refine((value) => (empty && value === '') || parseDuration(value) !== undefined, { message })
    .meta(rules({ rule: `${empty ? "self == '' || " : ''}self.matches('${DURATION_PATTERN}')`, message }));
}

const port = z.int32().min(1).max(65_535);

const ports = z
  .array(
    z.object({
      name: filled(15, 'The name of the port, unique among them: a lower-case word such as vnc.').regex(
        /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
        'must be lower-case letters, digits and dashes',
      ),
      containerPort: port.meta({ format: 'int32', description: 'The port the container listens on, from 1 to 65535.' }),
      protocol: z.enum(['TCP', 'UDP']).default('TCP').describe('TCP or UDP. Default TCP.'),
    }),
  )
  .max(16)
  .meta({
    description: 'The ports of the container; each becomes one of the Service too. Default: the port of vnc alone.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  });

const keyRef = (kind: string) =>
  z
    .object({
      name: objectName(`The name of the ${kind}, in the namespace of the session.`),
      key: filled(253, `The key in the ${kind}.`).regex(/^[-_a-zA-Z0-9][-._a-zA-Z0-9]*$/, 'must be a key such as token or tls.crt'),
      optional: z.boolean().describe(`Whether the ${kind} or the key may be missing. Default false.`).optional(),
    })
    .describe(`A key of a ${kind}.`)
    .optional();

/** What a variable can say of its own pod. */
const POD_FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.podIP',
] as const;

const env = z
  .array(
    z.object({
      name: filled(253, 'The name of the variable.').regex(/^[-_a-zA-Z][-._a-zA-Z0-9]*$/, 'must be the name of a variable such as TZ'),
      value: text(4096, 'Its value, where valueFrom does not say where it is read from. Default: empty.').optional(),
      valueFrom: z
        .object({
          secretKeyRef: keyRef('Secret'),
          configMapKeyRef: keyRef('ConfigMap'),
          fieldRef: z
            .object({
              fieldPath: z.enum(POD_FIELDS).describe(`A field of the pod: ${POD_FIELDS.join(', ')}.`),
            })
            .describe('A field of the pod.')
            .optional(),
        })
        .refine((source) => Object.keys(source).length === 1, { message: 'must have exactly one member' })
        .meta({ minProperties: 1, maxProperties: 1, description: 'Where its value is read from; exactly one of its members.' })
        .optional(),
    }),
  )
  .max(128)
  .meta({
    description: 'Variables of the container; they win over USER, SESSION_ID, PUID, PGID and TZ, which are set otherwise.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['name'],
  });

/** No part of it is `..`, which RE2 can say only by what is allowed. */
const PATH_PART = '([^/.][^/]*|[.]([^/.][^/]*)?|[.][.][^/]+)';
const RELATIVE_PATH = new RegExp(`^(${PATH_PART}(/${PATH_PART})*/?)?$`);

const volumeMounts = z
  .array(
    z.object({
      name: filled(63, 'The volume: user-home is the home of the session; any other name is an empty directory that ends with the pod.'),
      mountPath: filled(1024, 'Where it is mounted, an absolute path.').regex(
        /^\/[^:]*$/,
        'must be an absolute path without a colon, such as /config',
      ),
      subPath: text(1024, 'The part of the volume that is mounted. Default: all of it.')
        .regex(RELATIVE_PATH, 'must be a relative path without .., such as games/saved')
        .optional(),
      readOnly: z.boolean().describe('Whether it cannot be written. Default false.').optional(),
    }),
  )
  .max(16)
  .meta({
    description: 'What is mounted where. Default: the home, where there is one, at /config.',
    'x-kubernetes-list-type': 'map',
    'x-kubernetes-list-map-keys': ['mountPath'],
  });

/** CPU and memory of a session: what is requested is also the limit, as the reference agent does (streamspace.md 4.2). */
export const sessionResources = z.object({
  cpu: quantity('Processor time, such as 500m. Default: that of the template, else 1.').optional(),
  memory: quantity('Memory, such as 1Gi. Default: that of the template, else 2Gi.').optional(),
});

/** What becomes of the home when its session is stopped or deleted. */
export const retain = z
  .enum(['Always', 'AfterTTL', 'WithSession'])
  .describe(
    'Always: the home stays until somebody deletes its claim. WithSession: it goes when the session is stopped or deleted. ' +
      'AfterTTL: it stays while the session is stopped and goes with the object. Default Always.',
  );

/** The home of a session: a PersistentVolumeClaim named after it. */
export const home = z.object({
  size: quantity('The size of the claim. Default 10Gi.')
    .regex(/^[0.]*[1-9]/, 'must be more than nothing')
    .optional(),
  storageClassName: objectName('The StorageClass. Default: the one that is the default of the cluster.').optional(),
  accessMode: z
    .enum(['ReadWriteOnce', 'ReadWriteMany', 'ReadWriteOncePod'])
    .describe('The access mode of the claim. Default ReadWriteOnce.')
    .optional(),
  retain: retain.optional(),
});

const securityContext = z.object({
  runAsUser: z
    .int()
    .min(0)
    .max(2_147_483_647)
    .meta({ format: 'int64', description: 'The user id. Default: that of the image.' })
    .optional(),
  runAsGroup: z
    .int()
    .min(0)
    .max(2_147_483_647)
    .meta({ format: 'int64', description: 'The group id. Default: that of the image.' })
    .optional(),
  fsGroup: z
    .int()
    .min(0)
    .max(2_147_483_647)
    .meta({ format: 'int64', description: 'The group that owns the volumes. Default: none.' })
    .optional(),
  runAsNonRoot: z
    .boolean()
    .describe(
      'Whether an image that would run as root is refused; then it has no capabilities either. Default false: many desktop images start as root.',
    )
    .optional(),
  allowPrivilegeEscalation: z.boolean().describe('Whether a process may gain more rights than its parent. Default false.').optional(),
  readOnlyRootFilesystem: z.boolean().describe('Whether the file system of the image is read-only. Default false.').optional(),
  seccompProfile: z.enum(['RuntimeDefault', 'Unconfined']).describe('The seccomp profile. Default RuntimeDefault.').optional(),
});

/** The signals by which a session can be seen to be used. */
export const IDLE_SIGNALS = ['Annotation', 'CPU', 'VNC', 'StreamSpaceSession'] as const;

const idle = z.object({
  signals: z
    .array(z.enum(IDLE_SIGNALS).describe('The name of a signal.'))
    .min(1)
    .max(IDLE_SIGNALS.length)
    .meta({
      description:
        'What shows that somebody works in the session. Annotation: cloudoptim.io/last-activity of the Session or of its pod, RFC 3339. ' +
        'CPU: processor time above the threshold, from metrics.k8s.io. VNC: data in the tunnel. StreamSpaceSession: status.lastActivity of the ' +
        'sessions.stream.space object of the same name. The newest one counts, and one that is missing means: not idle. Default Annotation.',
      'x-kubernetes-list-type': 'set',
    })
    .default(['Annotation']),
  cpuThreshold: quantity('Processor time above which the session is in use, for the signal CPU. Default 50m.').optional(),
});

/** What a session runs: the members of a SessionTemplate, which a Session can carry itself as well. */
export const sessionWorkload = z.object({
  image: filled(1024, 'The image of the container. Required.').regex(/^[^\s]+$/, 'must have no blanks'),
  ports: ports.optional(),
  vnc: z
    .object({ port: port.meta({ format: 'int32', description: 'The port on which the desktop is served, over HTTP or VNC.' }) })
    .describe('How the desktop is reached. Default: port 3000, or what the image is known for.')
    .optional(),
  env: env.optional(),
  volumeMounts: volumeMounts.optional(),
  resources: sessionResources.describe('What a session gets that does not say itself. Default: cpu 1, memory 2Gi.').optional(),
  home: home.describe('The home of sessions that have one. Default: 10Gi of the cluster’s default class, kept for ever.').optional(),
  securityContext: securityContext
    .describe('Who the container runs as and what it may. Default: no privilege escalation, seccomp RuntimeDefault.')
    .optional(),
  startDeadline: duration('startDeadline', 'How long a start or a wake may take until it has failed. Default 300s.').optional(),
  idle: idle.describe('How a session that nobody uses is known. Default: by the annotation cloudoptim.io/last-activity.').optional(),
});

/** The schema of `SessionTemplate.spec`. */
export const sessionTemplateSpec = sessionWorkload.describe(
  'What the sessions that name this template run; a change reaches a running session at its next start or wake.',
);

/** The schema of `SessionTemplate.status`. */
export const sessionTemplateStatus = z
  .object({ observedGeneration: observedGeneration(), conditions: conditions.optional() })
  .describe('Whether the template can be used; written by the operator only.');

/** What a session runs. */
export type SessionWorkload = DeepReadonly<z.output<typeof sessionWorkload>>;

/** One signal of use. */
export type IdleSignal = (typeof IDLE_SIGNALS)[number];

/** What the sessions that name it run. */
export type SessionTemplate = KubeObject<SessionWorkload, DeepReadonly<z.output<typeof sessionTemplateStatus>>>;

/** Changes when the SessionTemplate of this name does. */
export function templateTopic(namespace: string, name: string): Topic {
  return `session-template/${namespace}/${name}`;
}
