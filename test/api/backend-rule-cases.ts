import type { JsonObject } from '../../operator/lib/json.ts';
import type { Ask, RuleCase } from './rule-case.ts';

const plural = 'optimizationbackends';

/** The least that a backend must say. */
export const backend: JsonObject = { protocol: 'CloudOptim', url: 'https://central.example.com', clusterID: 'cluster-1' };

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
    message: 'spec.url must be an absolute http or https URL with a host, for example https://central.example.com',
    accepts: withField('url', ['https://central.example.com', 'http://127.0.0.1:8080/base/', 'http://[::1]:80']),
    refuses: withField('url', [
      'central.example.com',
      '/tasks',
      'wss://central.example.com',
      'https://',
      'https:///x',
      'file:///etc/passwd',
    ]),
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
  interval('poll', '1s', '999ms', '10s'),
  interval('metrics', '5s', '4.999s', '60s'),
  interval('heartbeat', '5s', '1s', '30s'),
];
