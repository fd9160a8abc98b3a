import { expect, test } from 'vitest';
import type { CloudOptimBackend } from '../backends/cloudoptim/server.ts';
import { condition } from './objects.ts';
import { eventually, type Scene, seedVariables, useScene } from './scene.ts';

const CONFIG_MAP = 'cloudoptim-client-config';

const byVariables = useScene('variables');
const byObjects = useScene('seed-objects');

/** Writes keys of the ConfigMap of seed 003. */
async function configure(scene: Scene, data: Record<string, string>): Promise<void> {
  const path = `/api/v1/namespaces/${scene.namespace}/configmaps`;
  const { status } = await scene.cp.api.call('POST', path, { metadata: { name: CONFIG_MAP }, data });
  if (status === 409) await scene.cp.api.patch(`${path}/${CONFIG_MAP}`, { data });
}

function connected(object: Parameters<typeof condition>[0]): boolean {
  return condition(object, 'Ready').reason === 'Connected';
}

function polls(backend: CloudOptimBackend, count: number): Promise<unknown> {
  const polled = backend.heard.polls.length;
  return backend.waitFor(() => backend.heard.polls.length >= polled + count, `${count} more polls`);
}

test('the variables of seed 003 make the backend `default`, which a restart leaves as it is; the Secret replaces the key', async () => {
  const backend = await byVariables.backend();
  // The variables win over the ConfigMap.
  await configure(byVariables, { 'cluster-id': 'another', 'poll-interval-seconds': '3600' });
  let operator = await byVariables.operator({ ...seedVariables(backend), AGENT_ID: 'me' });
  await operator.ready();
  await backend.socketOpen();
  const made = await byVariables.backends.until('default', connected);
  expect(made).toMatchObject({
    metadata: { labels: { 'app.kubernetes.io/managed-by': 'cloudoptim-operator' } },
    spec: {
      protocol: 'CloudOptim',
      url: backend.url,
      clusterID: backend.clusterID,
      agentID: 'me',
      intervals: { poll: '1s', metrics: '5s', heartbeat: '5s' },
    },
    status: { registeredAs: 'me' },
  });
  expect(JSON.stringify(made)).not.toContain(backend.key);
  await polls(backend, 2);
  expect(await operator.stop()).toBe(0);
  operator = await byVariables.operator({ ...seedVariables(backend), AGENT_ID: 'me' });
  await polls(backend, 2);
  expect((await byVariables.backends.get('default')).metadata).toMatchObject({ uid: made.metadata.uid, generation: 1 });
  // Rotated: the variable still has the old key, the Secret wins.
  backend.setKey('rotated-abcdefg');
  await byVariables.secret('cloudoptim-client-secret', backend.key);
  await polls(backend, 2);
  await byVariables.backends.until('default', connected);
  expect(backend.violations).toEqual([]);
  expect(await operator.stop()).toBe(0);
});

test('the ConfigMap and the Secret of seed 003 make it as well, and changes of all five keys are followed', async () => {
  const backend = await byObjects.backend();
  const operator = await byObjects.operator({ LOG_LEVEL: '' });
  await operator.ready();
  await configure(byObjects, {
    'central-server-url': backend.url,
    'cluster-id': backend.clusterID,
    'poll-interval-seconds': '1',
    'metrics-interval-seconds': '6',
    'log-level': 'error',
  });
  await byObjects.backends.until('default', (object) => condition(object, 'Ready').reason === 'CredentialsMissing');
  await byObjects.secret('cloudoptim-client-secret', backend.key);
  await backend.socketOpen();
  expect((await byObjects.backends.get('default')).spec).toMatchObject({ intervals: { poll: '1s', metrics: '6s' } });

  const quiet = operator.log.length;
  backend.pushTask({ task_id: 'unknown', task_type: 'resize' });
  await backend.result('unknown');
  expect(operator.log.slice(quiet).map(({ level }) => level)).not.toContain('WARNING');
  await configure(byObjects, { 'log-level': 'debug', 'metrics-interval-seconds': '5' });
  await byObjects.backends.until('default', ({ spec }) => (spec.intervals as Record<string, string>).metrics === '5s');
  backend.addTask({ task_id: 'unknown-2', task_type: 'resize' });
  await eventually(() => operator.log.findLast((line) => line.task_id === 'unknown-2')?.level).toBe('WARNING');

  // What cannot be is told, and mended without a restart.
  await configure(byObjects, { 'central-server-url': 'not a URL' });
  await eventually(() => operator.log.findLast(({ level }) => level === 'ERROR')?.err).toMatchObject({
    message: expect.stringContaining('spec.url must be an http or https URL'),
  });
  const other = await byObjects.backend({ key: backend.key });
  await configure(byObjects, { 'central-server-url': other.url });
  await other.socketOpen();
  expect([...backend.violations, ...other.violations]).toEqual([]);
  expect(await operator.stop()).toBe(0);
});
