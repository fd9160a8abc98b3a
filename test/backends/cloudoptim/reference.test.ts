import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startCloudOptimBackend } from './server.ts';

/** A reference backend that is closed with the test, and a way to say anything to it. */
async function start() {
  const backend = await startCloudOptimBackend();
  onTestFinished(() => backend.close());
  const say = (path: string, init: RequestInit = {}) =>
    fetch(`${backend.url}/api/v1/client${path}`, {
      ...init,
      headers: { authorization: `Bearer ${backend.key}`, 'content-type': 'application/json', ...init.headers },
    });
  return { backend, say };
}

const result = {
  task_id: 't1',
  status: 'success',
  logs: '',
  executed_at: '2025-11-28T10:00:00Z',
  duration_seconds: 1.5,
  error: null,
  metadata: {},
};

describe('the reference backend catches a client that breaks the protocol', () => {
  const cases: [string, string, unknown, RegExp][] = [
    ['an unknown status', '/tasks/t1/result', { ...result, status: 'done' }, /^result: status: /],
    [
      'milliseconds in a time',
      '/tasks/t1/result',
      { ...result, executed_at: '2025-11-28T10:00:00.000Z' },
      /^result: executed_at: must be UTC/,
    ],
    ['an error that is absent', '/tasks/t1/result', { ...result, error: undefined }, /^result: error: /],
    ['a member that nobody documented', '/tasks/t1/result', { ...result, extra: 1 }, /^result: body: /],
    ['a result under another task', '/tasks/t2/result', result, /^result: task_id t1 under the path of t2$/],
    [
      'an unknown heartbeat',
      '/heartbeat',
      { cluster_id: 'cluster-123', status: 'fine', timestamp: '2025-11-28T10:00:00Z' },
      /^heartbeat: status: /,
    ],
    [
      'another cluster',
      '/heartbeat',
      { cluster_id: 'x', status: 'healthy', timestamp: '2025-11-28T10:00:00Z' },
      /^heartbeat: cluster_id is 'x'$/,
    ],
    ['events in an envelope', '/events', { events: [] }, /^events: body: /],
    ['metrics without their fields', '/metrics', {}, /^metrics: cluster_id: .*node_count/],
    ['text that is not JSON', '/metrics', undefined, /^metrics: the body is not JSON$/],
  ];
  test.each(cases)('%s', async (_name, path, body, violation) => {
    const { backend, say } = await start();
    await (await say(path, { method: 'POST', body: body === undefined ? 'hello' : JSON.stringify(body) })).text();
    expect(backend.violations).toEqual([expect.stringMatching(violation)]);
  });

  test('a poll for another cluster, a body of another type, the key in the URL', async () => {
    const { backend, say } = await start();
    await say('/tasks?cluster_id=other');
    await say('/tasks/t1/result', { method: 'POST', body: JSON.stringify(result), headers: { 'content-type': 'text/plain' } });
    await say(`/tasks?cluster_id=cluster-123&key=${backend.key}`);
    expect(backend.violations).toEqual([
      '/api/v1/client/tasks without cluster_id=cluster-123',
      "result: content-type is 'text/plain'",
      'the key stands in the URL of /api/v1/client/tasks',
    ]);
  });

  test('a wrong key is answered 401 in the error envelope, an unknown path 404', async () => {
    const { backend, say } = await start();
    const refused = await say('/tasks?cluster_id=cluster-123', { headers: { authorization: 'Bearer wrong' } });
    expect([refused.status, await refused.json()]).toMatchObject([401, { error: { code: 'unauthorized', message: 'Invalid API key' } }]);
    const unknown = await say('/weather');
    expect([unknown.status, await unknown.json()]).toEqual([404, { detail: 'Not Found' }]);
    expect(backend.violations).toEqual([]);
  });

  test('who waits in vain is told for what, and what was heard instead', async () => {
    const { backend } = await start();
    await expect(backend.waitFor(() => false, 'rain', 10)).rejects.toThrow('waited 10 ms in vain for rain; it heard 0 polls, 0 results');
  });
});

describe('the standalone backend', () => {
  function run(...args: string[]) {
    const child = spawn(process.execPath, [fileURLToPath(new URL('main.ts', import.meta.url)), ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void child.kill('SIGKILL'));
    child.stderr.resume();
    return { child, lines: createInterface(child.stdout)[Symbol.asyncIterator]() };
  }

  test('takes tasks by curl, shows what it heard, ends on SIGTERM', async () => {
    const { child, lines } = run('--key', 'a-known-key', '--cluster', 'c1', '--shape', 'tasks');
    const [url = '', key, cluster] = [(await lines.next()).value, (await lines.next()).value, (await lines.next()).value].map(
      (line) => line?.split('=')[1],
    );
    expect([key, cluster]).toEqual(['a-known-key', 'c1']);
    const added = await fetch(`${url}/tasks`, { method: 'POST', body: '{"task_id":"t1","task_type":"cordon_node"}' });
    expect(added.status).toBe(202);
    const refused = await Promise.all(['{', '[]'].map((body) => fetch(`${url}/tasks`, { method: 'POST', body })));
    expect(refused.map((answer) => answer.status)).toEqual([400, 400]);
    const poll = await fetch(`${url}/api/v1/client/tasks?cluster_id=c1`, { headers: { authorization: `Bearer ${key}` } });
    expect(await poll.json()).toMatchObject({ tasks: [{ task_id: 't1', cluster_id: 'c1' }] });
    expect(await (await fetch(`${url}/heard`)).json()).toMatchObject({ polls: 1, results: [], violations: [] });
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  test.each([
    ['--help', 0],
    ['--port=banana', 1],
    ['--nonsense', 1],
  ])('%s ends with code %d', async (argument, code) => {
    const { child } = run(argument);
    expect(await once(child, 'exit')).toEqual([code, null]);
  });
});
