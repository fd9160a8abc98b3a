import { expect, onTestFinished, test } from 'vitest';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { inPhase } from './objects.ts';
import { runOperator } from './operator-process.ts';
import { eventually, seedVariables, useScene } from './scene.ts';

const scene = useScene('life');

test('--help and --version print and end with 0', async () => {
  const [help, version] = await Promise.all([runOperator(['--help']), runOperator(['--version'])]);
  expect(help).toMatchObject({
    code: 0,
    stderr: '',
    stdout: expect.stringMatching(/^Usage: [\s\S]*CENTRAL_SERVER_URL[\s\S]*--task-poll-interval-seconds/m),
  });
  expect(version).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/^\d+\.\d+\.\d+\S*\n$/) });
});

test('a wrong configuration ends with 2 and names all that is wrong at once, but no key', async () => {
  const { code, stdout, stderr } = await runOperator(['--log-level=loud', '--no-such-flag'], {
    CENTRAL_SERVER_URL: 'ftp://central',
    TASK_POLL_INTERVAL_SECONDS: 'often',
    HEALTH_CHECK_PORT: '99999',
    CENTRAL_API_KEY: 'secret with blanks',
  });
  expect([code, stdout]).toEqual([2, '']);
  expect(stderr).toMatch(/^Configuration validation failed:\n/);
  for (const name of [
    'LOG_LEVEL',
    '--no-such-flag',
    'CENTRAL_SERVER_URL',
    'TASK_POLL_INTERVAL_SECONDS',
    'HEALTH_CHECK_PORT',
    'CENTRAL_API_KEY',
  ]) {
    expect(stderr).toContain(`  - ${name}: `);
  }
  expect(stderr).toContain('for example TASK_POLL_INTERVAL_SECONDS=10');
  expect(stderr).not.toContain('secret with');
});

test('without a cluster, and where its port is taken, it ends with 1 and says why', async () => {
  const nowhere = await runOperator([], { HOME: '/nonexistent' });
  expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('set KUBECONFIG to a kubeconfig file') });
  const operator = await scene.operator();
  const taken = await runOperator([], { KUBECONFIG: scene.cp.kubeconfig, HEALTH_CHECK_PORT: String(operator.port) });
  expect(taken).toMatchObject({ code: 1, stderr: expect.stringContaining('EADDRINUSE') });
  expect(await operator.stop('SIGINT')).toBe(0);
});

test('it answers health questions before it reaches the API server, and names what it waits for', async () => {
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: scene.cp.port });
  onTestFinished(() => proxy.close());
  await proxy.refuse();
  const backend = await scene.backend();
  const waiting = await scene.operator(seedVariables(backend), proxy.url);
  expect(await waiting.fetch('/healthz')).toEqual({ status: 200, body: 'ok\n' });
  await eventually(async () => (await waiting.fetch('/readyz')).body).toMatch(/watches: .*optimizationactions \(.*ECONNREFUSED/);
  expect(await waiting.fetch('/readyz')).toMatchObject({
    status: 503,
    body: expect.stringContaining('[-] controllers: waits for the first lists'),
  });
  expect(backend.heard.requests).toEqual([]);
  expect(JSON.parse((await waiting.fetch('/ready')).body)).toMatchObject({ ready: false, k8s_api_connected: false });
  // What never reached anything ends as well.
  expect(await waiting.stop()).toBe(0);

  const operator = await scene.operator(seedVariables(backend), proxy.url);
  await proxy.accept();
  await operator.ready();
  await backend.socketOpen();
  expect(JSON.parse((await operator.fetch('/ready')).body)).toEqual({
    ready: true,
    central_server_connected: true,
    k8s_api_connected: true,
  });
  expect(JSON.parse((await operator.fetch('/health')).body)).toEqual({ status: 'healthy', uptime_seconds: expect.any(Number) });
  await scene.actions.create('works', { action: 'Label', label: { kind: 'Namespace', name: scene.namespace, set: { a: 'b' } } });
  await scene.actions.until('works', inPhase('Succeeded'));
  expect(await operator.stop()).toBe(0);
});

test('log lines carry the fields of seed 003', async () => {
  const [node = ''] = await scene.tenant.createNodes(1);
  const backend = await scene.backend();
  const operator = await scene.operator(seedVariables(backend));
  await backend.socketOpen();
  backend.pushTask({ task_id: 'logged', task_type: 'cordon_node', parameters: { node_name: node } });
  await backend.result('logged');
  await eventually(() => operator.log.find((line) => line.task_id === 'logged' && line.phase === 'Succeeded')).toMatchObject({
    timestamp: expect.stringMatching(/^\d{4}-.*Z$/),
    level: 'INFO',
    cluster_id: backend.clusterID,
    component: 'actions',
    message: `node ${node} cordoned`,
    target: `node/${node}`,
    node_name: node,
    duration_seconds: expect.any(Number),
  });
  expect(await operator.stop()).toBe(0);
});
