import type { JsonObject } from '../../operator/lib/json.ts';
import type { Ask, RuleCase } from './rule-case.ts';

const plural = 'optimizationbackends';

/** The least that a backend must say. */
export const backend: JsonObject = { protocol: 'CloudOptim', url: 'https://central.example.com', clusterID: 'cluster-1' };

/** The least that a backend of StreamSpace must say. */
export const streamSpace: JsonObject = { protocol: 'StreamSpace', url: 'wss://control.example.com', agentID: 'k8s-1' };

function withMembers(base: JsonObject, members: readonly JsonObject[]): readonly Ask[] {
  return members.map((each) => ({ create: { ...base, ...each } }));
}

function withField(field: string, values: readonly string[]): readonly Ask[] {
  return values.map((value) => ({ create: { ...backend, [field]: value } }));
}

function withInterval(field: string, values: readonly string[]): readonly Ask[] {
  return values.map((value) => ({ create: { ...backend, intervals: { [field]: value } } }));
}

function interval(field: string, least: string, tooLittle: string, fallback: string): RuleCase {
  return {
    plural,
    message: `spec.intervals.${field} must be a duration of at least ${least} and at most 24h, for example ${fallback}`,
    accepts: withInterval(field, [least, fallback, '1m30s', '24h', '5500ms']),
    refuses: withInterval(field, [tooLittle, '25h', '10', 'soon', '', '-10s', '999999h']),
  };
}

const credentials = 'must not contain credentials: put the key into the Secret of spec.credentialsSecretRef';

/** An accepting and a refusing case for every CEL rule of OptimizationBackend. */
export const backendRuleCases: readonly RuleCase[] = [
  {
    plural,
    message: 'metadata.name must have at most 63 characters: it becomes the value of a label',
    accepts: [{ create: backend, name: 'b'.repeat(63) }],
    refuses: [{ create: backend, name: 'b'.repeat(64) }],
  },
  {
    plural,
    message: 'spec.url must be an absolute http, https, ws or wss URL with a host, for example https://central.example.com',
    accepts: withField('url', ['https://central.example.com', 'http://127.0.0.1:8080/base/', 'http://[::1]:80']),
    refuses: withField('url', ['central.example.com', '/tasks', 'https://', 'https:///x', 'file:///etc/passwd']),
  },
  {
    plural,
    message: `spec.url ${credentials}`,
    accepts: withField('url', ['https://central.example.com']),
    refuses: withField('url', ['https://ada:secret@central.example.com']),
  },
  {
    plural,
    message: 'spec.webSocketURL must be an absolute ws or wss URL with a host, for example wss://central.example.com',
    accepts: withField('webSocketURL', ['wss://central.example.com', 'ws://127.0.0.1:8080/ws']),
    refuses: withField('webSocketURL', ['https://central.example.com', 'wss://', 'central']),
  },
  {
    plural,
    message: `spec.webSocketURL ${credentials}`,
    accepts: withField('webSocketURL', ['wss://central.example.com']),
    refuses: withField('webSocketURL', ['wss://secret@central.example.com']),
  },
  {
    plural,
    message: 'spec.clusterID is immutable, tasks are known by it: create another OptimizationBackend',
    accepts: [{ from: backend, to: { ...backend, url: 'https://other.example.com' } }],
    refuses: [{ from: backend, to: { ...backend, clusterID: 'cluster-2' } }],
  },
  {
    plural,
    message: 'spec.clusterID is required for the protocol CloudOptim: set it to the id under which the upstream knows this cluster',
    accepts: [{ create: backend }, { create: streamSpace }],
    refuses: [{ create: { protocol: 'CloudOptim', url: 'https://central.example.com' } }],
  },
  {
    plural,
    message: 'spec.url must be an http or https URL for the protocol CloudOptim, for example https://central.example.com',
    accepts: [
      ...withField('url', ['http://a']),
      ...withMembers(
        streamSpace,
        ['ws', 'wss', 'http', 'https'].map((each) => ({ url: `${each}://a:8000/` })),
      ),
    ],
    refuses: withField('url', ['wss://central.example.com', 'ws://a']),
  },
  {
    plural,
    message:
      'spec.agentID must be set for the protocol StreamSpace, to 3 to 100 letters, digits, dots, underscores and dashes without --, for example k8s-prod-eu-1',
    accepts: [
      ...withMembers(streamSpace, [{ agentID: 'a.B' }, { agentID: '_-_' }, { agentID: 'x'.repeat(100) }]),
      ...withMembers(backend, [{ agentID: 'a/b' }]),
    ],
    refuses: [
      { create: { protocol: 'StreamSpace', url: 'wss://control.example.com' } },
      ...withMembers(
        streamSpace,
        ['ab', 'a--b', 'a#b', 'a/*b', 'x'.repeat(101), 'ä-1'].map((agentID) => ({ agentID })),
      ),
    ],
  },
  {
    plural,
    message: 'spec.intervals.heartbeat must be at most 30s for the protocol StreamSpace, whose control plane gives an agent up after 45s',
    accepts: withMembers(streamSpace, [{ intervals: { heartbeat: '30s' } }, { intervals: {} }]),
    refuses: withMembers(streamSpace, [{ intervals: { heartbeat: '31s' } }, { intervals: { heartbeat: '24h' } }]),
  },
  {
    plural,
    message: 'spec.region and spec.vnc are for the protocol StreamSpace only: remove them',
    accepts: withMembers(streamSpace, [{ region: 'eu', vnc: { enabled: true } }]),
    refuses: withMembers(backend, [{ region: 'eu' }, { vnc: {} }]),
  },
  interval('poll', '1s', '999ms', '10s'),
  interval('metrics', '5s', '4.999s', '60s'),
  interval('heartbeat', '5s', '1s', '30s'),
];
