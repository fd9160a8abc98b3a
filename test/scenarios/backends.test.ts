import { beforeAll, expect, test } from 'vitest';
import { condition } from './objects.ts';
import type { OperatorProcess } from './operator-process.ts';
import { eventually, useScene } from './scene.ts';

const scene = useScene('backends');
let operator: OperatorProcess;
let node: string;

beforeAll(async () => {
  [node = ''] = await scene.tenant.createNodes(1);
  operator = await scene.operator();
});

const uncordon = (task_id: string) => ({ task_id, task_type: 'uncordon_node', parameters: { node_name: node } });
const ready = (reason: string) => (object: Parameters<typeof condition>[0]) => condition(object, 'Ready').reason === reason;

test('an OptimizationBackend starts, changes, suspends and stops its upstream without a restart', async () => {
  const first = await scene.backend();
  const second = await scene.backend({ key: first.key });
  await scene.connect('prod', first, { intervals: { poll: '1h', metrics: '5s', heartbeat: '5s' } });
  await first.socketOpen();
  await first.waitFor(() => first.heard.polls[0] && first.heard.heartbeats[0] && first.heard.metrics[0], 'poll, heartbeat and metrics');
  expect(first.heard.heartbeats[0]?.body).toMatchObject({ cluster_id: first.clusterID, status: 'starting' });
  expect(await scene.backends.until('prod', ready('Connected'))).toMatchObject({ status: { registeredAs: 'cluster-123-agent' } });
  const { stdout } = await scene.cp.kubectl(['get', 'ob', 'prod', '-n', scene.namespace]);
  expect(stdout).toMatch(/^NAME +PROTOCOL +URL +CONNECTED +TASKS +LAST-CONTACT +AGE\nprod +CloudOptim +http:\S+ +True +\d+ +\S+ +\d+s\n$/);

  // Another interval: from once an hour to every second.
  expect(first.heard.polls).toHaveLength(1);
  await scene.backends.patch('prod', { intervals: { poll: '1s' } });
  await first.waitFor(() => first.heard.polls.length >= 4, 'polls every second');
  // Another URL.
  await scene.backends.patch('prod', { url: second.url });
  await second.waitFor(() => second.heard.polls.length >= 2 && second.stream.size > 0, 'polls at the other URL');
  expect(first.stream.size).toBe(0);
  const polledFirst = first.heard.polls.length;

  await scene.backends.patch('prod', { suspend: true });
  await scene.backends.until('prod', ready('Suspended'));
  const polled = second.heard.polls.length;
  second.addTask(uncordon('held-back'));
  const beats = second.heard.heartbeats.length;
  await second.waitFor(() => second.heard.heartbeats.length > beats, 'heartbeats that go on');
  expect([second.heard.polls.length, second.stream.size, first.heard.polls.length]).toEqual([polled, 0, polledFirst]);
  await scene.backends.patch('prod', { suspend: false });
  expect((await second.result('held-back')).body).toMatchObject({ status: 'success' });

  await scene.backends.remove('prod');
  await second.waitFor(() => second.heard.heartbeats.at(-1)?.body.status === 'stopping', 'the goodbye');
  await second.waitFor(() => second.stream.size === 0, 'the end of the socket');
  await eventually(async () => (await operator.fetch('/readyz')).body).not.toContain('prod');
  expect([...first.violations, ...second.violations]).toEqual([]);
});

test('a missing Secret is named, and read as soon as it is there', async () => {
  const backend = await scene.backend();
  const { url, clusterID } = backend;
  await scene.backends.create('keyless', { protocol: 'CloudOptim', url, clusterID, credentialsSecretRef: { name: 'to-come' } });
  const object = await scene.backends.until('keyless', ready('CredentialsMissing'));
  for (const type of ['Ready', 'Authenticated']) {
    expect(condition(object, type)).toMatchObject({ status: 'False', message: 'the Secret to-come has no key api-key' });
  }
  expect(backend.heard.requests).toEqual([]);
  expect(condition(object, 'Connected').status).toBe('Unknown');
  expect(object.status).not.toHaveProperty('lastContactTime');
  await scene.secret('to-come', backend.key);
  await backend.socketOpen();
  await scene.backends.until('keyless', ready('Connected'));
  await scene.backends.remove('keyless');
});

test.each([401, 403])(
  'a refused key (%i) shows everywhere, stops the work and not the process; the next key ends it at once',
  async (status) => {
    const backend = await scene.backend();
    const name = `refused-${status}`;
    await scene.connect(name, backend);
    await scene.backends.until(name, ready('Connected'));
    if (status === 401) backend.setKey('rotated-1234567');
    else backend.fail('any', { kind: 'status', status }, Number.POSITIVE_INFINITY);
    const object = await scene.backends.until(name, ready('Unauthorized'));
    expect(condition(object, 'Authenticated')).toMatchObject({ status: 'False', message: expect.stringMatching(`was answered ${status}`) });
    expect(condition(object, 'Connected').status).toBe('True');
    expect(await operator.fetch('/readyz')).toMatchObject({ status: 503, body: expect.stringMatching(`backend ${name}: .*${status}`) });
    expect((await operator.fetch('/healthz')).status).toBe(200);
    expect((await operator.fetch('/metrics')).body).toContain(`cloudoptim_backend_connected{backend="${name}"} 0`);
    const path = `/api/v1/namespaces/${scene.namespace}/events?fieldSelector=involvedObject.name=${name},reason=Unauthorized`;
    await eventually(async () => (await scene.cp.api.get<{ items: unknown[] }>(path)).items.length).toBeGreaterThan(0);

    backend.heal();
    if (status === 403) backend.setKey('rotated-7654321');
    await scene.secret(name, backend.key);
    await scene.backends.until(name, ready('Connected'));
    await backend.socketOpen();
    backend.pushTask(uncordon(`after-${status}`));
    expect((await backend.result(`after-${status}`)).body).toMatchObject({ status: 'success' });
    expect(operator.output()).not.toContain(backend.key);
    await scene.backends.remove(name);
  },
);

test('a dead backend leaves the other one alone, and the same task id is a task of each', async () => {
  const [one, two] = await Promise.all([scene.backend(), scene.backend()]);
  await Promise.all([
    scene.connect('one', one),
    scene.connect('two', two),
    scene.backends.create('dead', {
      protocol: 'CloudOptim',
      url: 'http://127.0.0.1:9',
      clusterID: 'c',
      credentialsSecretRef: { name: 'one' },
    }),
  ]);
  const object = await scene.backends.until('dead', ready('Unreachable'));
  expect(condition(object, 'Connected')).toMatchObject({ status: 'False', message: expect.stringContaining('ECONNREFUSED') });
  for (const backend of [one, two]) {
    await backend.socketOpen();
    backend.pushTask(uncordon('same'));
    expect((await backend.result('same')).body).toMatchObject({ status: 'success' });
  }
  const names = (await scene.actions.list()).filter(({ spec }) => spec.source?.taskID === 'same').map(({ spec }) => spec.source?.backend);
  expect(names.sort()).toEqual(['one', 'two']);
  const { status, body } = await operator.fetch('/readyz');
  expect(status).toBe(503);
  expect(body.split('\n').filter((line) => line.startsWith('[-]'))).toEqual([expect.stringMatching(/^\[-\] backend dead: .*ECONNREFUSED/)]);
  expect([...one.violations, ...two.violations]).toEqual([]);
});

test('a backend that is deleted and made again at once ends up at work', async () => {
  const backend = await scene.backend();
  await scene.connect('again', backend);
  await scene.backends.until('again', ready('Connected'));
  const { url, clusterID } = backend;
  const spec = { protocol: 'CloudOptim', url, clusterID, credentialsSecretRef: { name: 'again' }, intervals: { poll: '1s' } };
  // The goodbye of the first is slow.
  const slow = backend.fail('metrics', { kind: 'delay', ms: 500 });
  await scene.backends.remove('again');
  await scene.backends.create('again', spec);
  await backend.waitFor(() => slow.hits === 1, 'the last snapshot of the first');
  const words = () => backend.heard.heartbeats.map(({ body }) => body.status);
  await backend.waitFor(() => words().filter((word) => word === 'starting').length === 2 && words().includes('stopping'), 'the second one');
  expect(words().slice(-2)).toEqual(['stopping', 'starting']);
  backend.addTask(uncordon('again'));
  expect((await backend.result('again')).body).toMatchObject({ status: 'success' });
  await scene.backends.remove('again');
  await backend.waitFor(() => words().at(-1) === 'stopping' && backend.stream.size === 0, 'the end of the second');
});

test('a backend that is deleted while its Secret is being read leaves nothing behind', async () => {
  const backend = await scene.backend();
  const { url, clusterID } = backend;
  const names = Array.from({ length: 8 }, (_, index) => `flash-${index}`);
  await Promise.all(names.map((name) => scene.secret(name, backend.key)));
  for (const name of names) {
    await scene.backends.create(name, { protocol: 'CloudOptim', url, clusterID, credentialsSecretRef: { name } });
    await scene.backends.remove(name);
  }
  await scene.connect('after', backend);
  await scene.backends.until('after', ready('Connected'));
  await eventually(async () => (await operator.fetch('/readyz')).body).not.toContain('flash');
  await backend.waitFor(() => backend.stream.size === 1, 'one socket only');
  await scene.backends.remove('after');
});
