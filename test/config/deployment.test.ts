import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';

interface Variable {
  readonly name: string;
  readonly valueFrom: { readonly configMapKeyRef?: object; readonly fieldRef?: { readonly fieldPath: string } };
}

const file = join(import.meta.dirname, '../../config/default/deployment.yaml');
const { spec } = parse(readFileSync(file, 'utf8')) as { spec: { template: { spec: { containers: [Record<string, unknown>] } } } };
const [container] = spec.template.spec.containers;
const env = container.env as readonly Variable[];

function variable(name: string): Variable['valueFrom'] | undefined {
  return env.find((each) => each.name === name)?.valueFrom;
}

test.each([
  ['CENTRAL_SERVER_URL', 'central-server-url'],
  ['CLUSTER_ID', 'cluster-id'],
  ['TASK_POLL_INTERVAL_SECONDS', 'poll-interval-seconds'],
  ['METRICS_POLL_INTERVAL_SECONDS', 'metrics-interval-seconds'],
  ['LOG_LEVEL', 'log-level'],
])('%s is the key %s of seed 003, and may be absent', (name, key) => {
  expect(variable(name)).toEqual({ configMapKeyRef: { name: 'cloudoptim-client-config', key, optional: true } });
});

test.each([
  ['POD_NAME', 'metadata.name'],
  ['POD_UID', 'metadata.uid'],
  ['POD_NAMESPACE', 'metadata.namespace'],
  ['NODE_NAME', 'spec.nodeName'],
])('%s comes from %s', (name, fieldPath) => {
  expect(variable(name)).toEqual({ fieldRef: { fieldPath } });
});

test('no Secret becomes a variable: the operator watches it', () => {
  expect(JSON.stringify(env)).not.toContain('secretKeyRef');
});

test('probes and resources are those of seed 003', () => {
  expect(container).toMatchObject({
    livenessProbe: { httpGet: { path: '/healthz', port: 'http' }, initialDelaySeconds: 30, periodSeconds: 10 },
    readinessProbe: { httpGet: { path: '/readyz', port: 'http' }, initialDelaySeconds: 10, periodSeconds: 5 },
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '200m', memory: '256Mi' } },
  });
});
