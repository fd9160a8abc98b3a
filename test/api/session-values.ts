import type { JsonObject, JsonValue } from '../../operator/lib/json.ts';
import type { Ask, RuleCase } from './rule-case.ts';

const keyRef = { name: 'settings', key: 'token' };

/** A value that is accepted, for every field of what a session runs. */
const WORKLOAD: Readonly<Record<string, JsonValue>> = {
  image: 'example.com/desk:1',
  ports: [{ name: 'vnc', containerPort: 3000 }],
  'ports[]': { name: 'vnc', containerPort: 3000 },
  'ports[].name': 'vnc',
  'ports[].containerPort': 3000,
  vnc: { port: 3000 },
  'vnc.port': 3000,
  env: [{ name: 'TZ', value: 'Europe/Berlin' }],
  'env[]': { name: 'TZ', value: 'Europe/Berlin' },
  'env[].name': 'TZ',
  'env[].value': 'Europe/Berlin',
  'env[].valueFrom': { fieldRef: { fieldPath: 'metadata.name' } },
  'env[].valueFrom.secretKeyRef': keyRef,
  'env[].valueFrom.secretKeyRef.name': 'settings',
  'env[].valueFrom.secretKeyRef.key': 'token',
  'env[].valueFrom.configMapKeyRef': keyRef,
  'env[].valueFrom.configMapKeyRef.name': 'settings',
  'env[].valueFrom.configMapKeyRef.key': 'token',
  'env[].valueFrom.fieldRef': { fieldPath: 'metadata.name' },
  'env[].valueFrom.fieldRef.fieldPath': 'metadata.name',
  volumeMounts: [{ name: 'user-home', mountPath: '/config' }],
  'volumeMounts[]': { name: 'user-home', mountPath: '/config' },
  'volumeMounts[].name': 'user-home',
  'volumeMounts[].mountPath': '/config',
  'volumeMounts[].subPath': 'ada',
  resources: { cpu: '500m' },
  'resources.cpu': '500m',
  'resources.memory': '1Gi',
  home: { size: '10Gi' },
  'home.size': '10Gi',
  'home.storageClassName': 'fast',
  securityContext: { runAsUser: 1000 },
  'securityContext.runAsUser': 1000,
  'securityContext.runAsGroup': 1000,
  'securityContext.fsGroup': 1000,
  startDeadline: '300s',
  idle: { signals: ['CPU'] },
  'idle.cpuThreshold': '50m',
};

/** The same for every field of what a Session asks for beside its state. */
const REQUEST: Readonly<Record<string, JsonValue>> = {
  template: { image: 'example.com/desk:1' },
  ...under('template.', WORKLOAD),
  resources: { cpu: '500m' },
  'resources.cpu': '500m',
  'resources.memory': '1Gi',
  'home.size': '10Gi',
  'home.storageClassName': 'fast',
  ttlAfterStopped: '24h',
  templateName: 'vscode',
  backendRef: { name: 'streamspace' },
  'backendRef.name': 'streamspace',
  sessionID: 'Ada@1',
  tags: ['teaching'],
  'tags[]': 'teaching',
};

const START = 'spec.sessionStart.session.';

/** The fields of a SessionStart. */
export const START_VALUES = under(START, REQUEST);

/** Where a template of its own stands, which is beside no reference to one, and an object that has it. */
export const TEMPLATE_AREA = { path: `${START}template`, around: start({}) } as const;

/** Objects that have one member at a time. */
export const ONE_MEMBER: readonly string[] = [`${START}template.env[].valueFrom`];

function under(prefix: string, values: Readonly<Record<string, JsonValue>>): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries(Object.entries(values).map(([path, value]) => [`${prefix}${path}`, value]));
}

function start(session: JsonObject): JsonObject {
  const templated = session.templateRef ? session : { template: { image: 'example.com/desk:1' }, ...session };
  return { action: 'SessionStart', sessionStart: { sessionRef: { name: 'ada' }, session: { user: 'ada', ...templated } } };
}

const asks = (...sessions: readonly JsonObject[]): readonly Ask[] => sessions.map((each) => ({ create: start(each) }));

function duration(field: string, message: string, place: (value: string) => JsonObject): RuleCase {
  return {
    plural: 'optimizationactions',
    message: `${field} must be a duration such as 30m or 1h30m${message}`,
    accepts: asks(place('30m'), place('1h30m'), ...(message ? [place('')] : [])),
    refuses: asks(place('half an hour'), place('30'), ...(message ? [] : [place('')])),
  };
}

const OR_NONE = ', or "" for none';

/** An accepting and a refusing case for every CEL rule of a SessionStart. */
export const startRuleCases: readonly RuleCase[] = [
  {
    plural: 'optimizationactions',
    message: 'set exactly one of session.templateRef and session.template: the name of a SessionTemplate, or what the session runs',
    accepts: asks({ templateRef: { name: 'vscode' } }, { template: { image: 'example.com/desk:1' } }),
    refuses: [
      ...asks({ templateRef: { name: 'vscode' }, template: { image: 'example.com/desk:1' } }),
      { create: { action: 'SessionStart', sessionStart: { sessionRef: { name: 'ada' }, session: { user: 'ada' } } } },
    ],
  },
  duration('startDeadline', '', (startDeadline) => ({ template: { image: 'example.com/desk:1', startDeadline } })),
  duration('spec.idleTimeout', OR_NONE, (idleTimeout) => ({ idleTimeout })),
  duration('spec.maxDuration', OR_NONE, (maxDuration) => ({ maxDuration })),
  duration('spec.ttlAfterStopped', OR_NONE, (ttlAfterStopped) => ({ ttlAfterStopped })),
];
