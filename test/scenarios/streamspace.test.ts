import { beforeAll, expect, test } from 'vitest';
import { manifestOf } from '../backends/streamspace/users.ts';
import { condition } from './objects.ts';
import { eventually } from './scene.ts';
import { AGENT, sessionCondition, useStreamSpace } from './streamspace-scene.ts';

const place = useStreamSpace('streamspace');

beforeAll(async () => {
  const { scene, cp, variables } = place;
  cp.administrator.add(AGENT);
  const operator = await scene.operator(variables);
  await operator.ready();
  await cp.connected(AGENT);
});

test('a session lives its whole life, and its user sees it: running with url, hibernated, running with url, terminated', async () => {
  const { cp } = place;
  const { id, command } = place.order({ persistentHome: false });
  const started = await cp.state(id, 'running', 30_000);
  expect(started).toMatchObject({ url: expect.stringContaining(id), podName: expect.stringMatching(new RegExp(`^${id}-`)) });
  expect(await cp.ended(command)).toMatchObject({ history: ['pending', 'sent', 'ack', 'completed'] });
  expect(await place.pods(id)).toEqual([started.podName]);
  const session = await place.session(id, ({ status }) => status?.phase === 'Running');
  expect(sessionCondition(session, 'Ready')?.status).toBe('True');
  const { stdout } = await place.scene.cp.kubectl(['get', 'sessions.cloudoptim.io', '-n', place.scene.namespace]);
  expect(stdout).toMatch(new RegExp(`^NAME +STATE +DESIRED +READY +REASON +USER +TEMPLATE +AGE\\s+${id} +Running +Running +True +\\S+ +admin +firefox +\\d+s`));

  const asleep = await cp.ended(cp.users.hibernate(id).command, 30_000);
  expect(asleep.status).toBe('completed');
  expect(cp.session(id).state).toBe('hibernated');
  expect(await place.pods(id)).toEqual([]);
  expect(await place.exists('apis/apps/v1', 'deployments', id)).toBe(true);

  expect((await cp.ended(cp.users.wake(id).command, 30_000)).status).toBe('completed');
  const awake = cp.session(id);
  expect(awake).toMatchObject({ state: 'running', url: expect.stringContaining(id) });
  expect(await place.pods(id)).toEqual([awake.podName]);

  expect((await cp.ended(cp.users.delete(id).command, 30_000)).status).toBe('completed');
  expect(cp.session(id).history).toEqual([
    'pending',
    'running',
    'hibernating',
    'hibernated',
    'waking',
    'running',
    'terminating',
    'terminated',
  ]);
  expect(await place.exists('apis/apps/v1', 'deployments', id)).toBe(false);
  expect(await place.exists('api/v1', 'services', id)).toBe(false);
  expect(cp.violations).toEqual([]);
});

test('the workload has the names, labels and ports that the control plane and its tools look for', async () => {
  const { cp, scene } = place;
  const ports = [{ name: 'web', containerPort: 6901, protocol: 'TCP' }];
  const { id } = place.order({ user: 'bob', template: 'desk', manifest: manifestOf('desk', { baseImage: 'kasmweb/desk:1', ports }) });
  await cp.state(id, 'running', 30_000);
  expect(cp.heard.of('status', { sessionId: id }).at(-1)?.payload.vncPort).toBe(6901);
  const service = await scene.cp.api.get<{ metadata: object; spec: { selector: object; ports: { port: number }[] } }>(
    `/api/v1/namespaces/${scene.namespace}/services/${id}`,
  );
  expect(service.spec.selector).toEqual({ session: id });
  expect(service.spec.ports.map(({ port }) => port).sort((a, b) => a - b)).toEqual([3000, 6901]);
  expect(service.metadata).toMatchObject({
    labels: { app: 'streamspace-session', session: id, user: 'bob', template: 'desk' },
  });
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(cp.violations).toEqual([]);
});

test('a start that cannot succeed fails with its cause, leaves no workload, and can be deleted', async () => {
  const { cp } = place;
  const { id, command } = place.order({ template: 'unheard-of', manifest: null });
  const ended = await cp.ended(command, 30_000);
  expect(ended).toMatchObject({ status: 'failed', error: expect.stringContaining('unheard-of') });
  await cp.state(id, 'failed', 30_000);
  expect(await place.pods(id)).toEqual([]);
  expect(await place.exists('apis/apps/v1', 'deployments', id)).toBe(false);
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(cp.violations).toEqual([]);
});

test('an image that has no valid name fails the start at once, with the words of the kubelet', async () => {
  const { cp, scene } = place;
  // Larger than any node: the pod waits for the words that a kubelet would put there.
  const { id, command } = place.order({ cpu: '9000000' });
  await eventually(() => place.pods(id)).toHaveLength(1);
  const [pod = ''] = await place.pods(id);
  const message = 'Failed to apply default image tag "Nowhere": invalid reference format';
  const waiting = { reason: 'InvalidImageName', message };
  const status = { containerStatuses: [{ name: 'session', ready: false, restartCount: 0, image: '', imageID: '', state: { waiting } }] };
  await scene.cp.api.patch(`/api/v1/namespaces/${scene.namespace}/pods/${pod}/status`, { status });
  expect(await cp.ended(command, 30_000)).toMatchObject({ status: 'failed', error: expect.stringContaining('invalid reference format') });
  await cp.state(id, 'failed', 30_000);
  await eventually(() => place.exists('apis/apps/v1', 'deployments', id)).toBe(false);
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(cp.violations).toEqual([]);
});

test('payloads that say nothing fail cleanly, and so does an action that nobody knows', async () => {
  const { cp } = place;
  const commands = [
    ...['start_session', 'stop_session', 'hibernate_session', 'wake_session'].map((action) => cp.administrator.command(AGENT, action, {})),
    cp.administrator.command(AGENT, 'reboot_session', { sessionId: 'x' }),
  ];
  for (const command of commands) {
    expect(await cp.ended(command, 30_000)).toMatchObject({
      status: 'failed',
      error: expect.stringMatching(/missing|sessionId|reboot_session/),
    });
  }
  expect(cp.violations).toEqual([]);
});

test('a stop of what does not exist is done, and says so', async () => {
  const { cp } = place;
  const { status } = await cp.ended(cp.administrator.command(AGENT, 'stop_session', { sessionId: 'never-was', deletePVC: false }), 30_000);
  expect(status).toBe('completed');
  expect(cp.heard.of('status', { sessionId: 'never-was' }).map(({ payload }) => payload.state)).toEqual(['terminated']);
  expect(cp.violations).toEqual([]);
});

test('an id that is no name of an object is mapped to one, and the user sees its own id', async () => {
  const { cp } = place;
  const { id } = place.order({ user: 'Ann.B@example.com' });
  await cp.state(id, 'running', 30_000);
  expect(cp.session(id).url).toContain(id);
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(cp.violations).toEqual([]);
});

test('a Session that is hibernated with kubectl is hibernated for its user', async () => {
  const { cp, scene } = place;
  const { id } = place.order();
  await cp.state(id, 'running', 30_000);
  await place.session(id, ({ status }) => status?.phase === 'Running');
  const patch = JSON.stringify({ spec: { state: 'Hibernated' } });
  const { code, stderr } = await scene.cp.kubectl([
    ...['patch', 'sessions.cloudoptim.io', id, '-n', scene.namespace],
    ...['--type=merge', '-p', patch],
  ]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  await cp.state(id, 'hibernated', 30_000);
  cp.users.wake(id);
  await cp.state(id, 'running', 30_000);
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(cp.violations).toEqual([]);
});

test('capacity and the number of active sessions are true', async () => {
  const { cp, scene } = place;
  const { id } = place.order();
  await cp.state(id, 'running', 30_000);
  const last = () => cp.heard.of('heartbeat').at(-1)?.payload;
  await cp.waitFor(() => last()?.activeSessions === 1, 'a heartbeat with one active session', 15_000);
  expect(last()?.capacity).toEqual({ maxSessions: 100, cpu: '100 cores', memory: '128Gi' });
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  await cp.waitFor(() => last()?.activeSessions === 0, 'a heartbeat without an active session', 15_000);
  const made = await scene.backends.until('streamspace', (object) => condition(object, 'Ready').status === 'True');
  expect(JSON.stringify(made)).not.toContain(cp.bootstrapKey);
  expect(cp.heard.sockets).toHaveLength(1);
  expect(cp.violations).toEqual([]);
});
