import { expect, test } from 'vitest';
import type { JsonObject } from '../../operator/lib/json.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { collection, object, type Plural } from './admission.ts';
import { backend } from './backend-rule-cases.ts';

const { namespace } = await tenant('columns');
const now = () => new Date().toISOString();

function condition(type: string, status: string, reason: string, message = ''): JsonObject {
  return { type, status, reason, message, lastTransitionTime: now() };
}

async function createWithStatus(plural: Plural, name: string, spec: JsonObject, status: JsonObject): Promise<void> {
  const path = collection(namespace, plural);
  await controlPlane.api.create(path, object(plural, name, spec));
  await controlPlane.api.patch(`${path}/${name}/status`, { status });
}

/** The cells of the header and of every row, as kubectl prints them: columns are separated by three spaces. */
async function printed(...args: readonly string[]): Promise<readonly (readonly string[])[]> {
  const { code, stdout, stderr } = await controlPlane.kubectl(['get', ...args, '--namespace', namespace]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const [header = '', ...rows] = stdout.trimEnd().split('\n');
  const starts = [...header.matchAll(/\S+/g)].map((match) => match.index);
  return [header, ...rows].map((line) => starts.map((start, index) => line.slice(start, starts[index + 1]).trim()));
}

test('kubectl get oa prints the columns of the contract', async () => {
  await createWithStatus(
    'optimizationactions',
    'prod-7f3c',
    {
      action: 'Cordon',
      cordon: { nodeName: 'worker-3' },
      deadline: '2030-01-01T00:00:00Z',
      source: { backend: 'prod', taskID: 't-1' },
    },
    {
      phase: 'Running',
      target: 'node/worker-3',
      progress: { done: 7, total: 12, text: '7/12' },
      conditions: [condition('Ready', 'Unknown', 'DisruptionBudget', 'shop/cart-0 waits'), condition('Reported', 'False', 'Refused')],
    },
  );
  const age = expect.stringMatching(/^\d+s$/);
  expect(await printed('oa')).toEqual([
    ['NAME', 'ACTION', 'TARGET', 'PHASE', 'PROGRESS', 'REASON', 'AGE'],
    ['prod-7f3c', 'Cordon', 'node/worker-3', 'Running', '7/12', 'DisruptionBudget', age],
  ]);
  const wide = await printed('oa', '-o', 'wide');
  expect(wide[0]?.slice(7)).toEqual(['BACKEND', 'DEADLINE', 'REPORTED', 'MESSAGE']);
  expect(wide[1]?.slice(7)).toEqual(['prod', '2030-01-01T00:00:00Z', 'False', 'shop/cart-0 waits']);
});

test('kubectl get ob prints the columns of the contract', async () => {
  await createWithStatus('optimizationbackends', 'prod', backend, {
    lastContactTime: now(),
    tasks: { received: 3, running: 1, reported: 2, rejected: 0 },
    conditions: [condition('Connected', 'True', 'Connected')],
  });
  const age = expect.stringMatching(/^\d+s$/);
  expect(await printed('ob')).toEqual([
    ['NAME', 'PROTOCOL', 'URL', 'CONNECTED', 'TASKS', 'LAST-CONTACT', 'AGE'],
    ['prod', 'CloudOptim', 'https://central.example.com', 'True', '3', age, age],
  ]);
});

test('kubectl get cloudoptim finds both kinds by their category', async () => {
  const { stdout } = await controlPlane.kubectl(['get', 'cloudoptim', '--namespace', namespace, '-o', 'name']);
  expect(stdout.trim().split('\n')).toEqual(['optimizationaction.cloudoptim.io/prod-7f3c', 'optimizationbackend.cloudoptim.io/prod']);
});

test.each([
  ['oa', 'spec.action=Cordon', 'spec.action=Drain'],
  ['oa', 'spec.source.backend=prod', 'spec.source.backend=other'],
  ['oa', 'status.phase=Running', 'status.phase=Failed'],
  ['oa', 'status.target=node/worker-3', 'status.target=node/worker-4'],
  ['ob', 'spec.protocol=CloudOptim', 'spec.protocol=Other'],
])('%s can be selected by %s', async (kind, hit, miss) => {
  const names = async (selector: string) =>
    (await controlPlane.kubectl(['get', kind, '--namespace', namespace, '--field-selector', selector, '-o', 'name'])).stdout.trim();
  expect(await names(hit)).toMatch(/\/prod/);
  expect(await names(miss)).toBe('');
});
