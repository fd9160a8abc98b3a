import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { SESSIONS, type Session } from '../../operator/api/session.ts';
import type { SessionFacts } from '../../operator/backends/backend.ts';
import { type Pod, projectPod } from '../../operator/kube/pod.ts';
import { type DesktopUse, type SessionTunnelOptions, SessionTunnels } from '../../operator/sessions/tunnel.ts';
import { startAdapterRig } from '../backends/streamspace/adapter-rig.ts';
import { forwardPort } from '../cluster/forwards.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { forwarderOf, startTarget } from '../kube/forwarders.ts';

const calm = new AbortController().signal;
const AT = new Date('2026-01-15T10:30:00Z');
const GREETING = 'RFB 003.008\n';

function session(name: string, more: { namespace?: string; spec?: object; status?: object } = {}): Session {
  return {
    apiVersion: `${SESSIONS.group}/${SESSIONS.version}`,
    kind: SESSIONS.kind,
    metadata: { namespace: more.namespace ?? 'desks', name, uid: `uid-${name}`, resourceVersion: '1' },
    spec: { state: 'Running', user: 'eva', backendRef: { name: 'cp' }, sessionID: `id of ${name}`, ...more.spec },
    status: { phase: 'Running', port: 5900, podName: `${name}-pod`, ...more.status },
  } as unknown as Session;
}

function pod(name: string, labels: Record<string, string>, more: object = {}): Pod {
  return projectPod({ metadata: { namespace: 'desks', name, uid: `uid-${name}`, labels, ...more } });
}

const failures: string[] = [];

function tunnelsTo(sessions: readonly Session[], pods: readonly Pod[], forwarder: SessionTunnelOptions['forwarder'], use: DesktopUse) {
  return new SessionTunnels({
    sessions: { values: () => new Map(sessions.entries()).values() },
    pods: { pod: (namespace, name) => pods.find((each) => each.namespace === namespace && each.name === name) },
    forwarder,
    use,
    clock: () => AT,
    onFailed: (id, error) => failures.push(`${id}: ${(error as Error).message}`),
  });
}

test.each<[string, Session[], Pod[], string]>([
  ['of another id', [session('b')], [], 'the backend cp has no session id of a'],
  ['of another backend', [session('a', { spec: { backendRef: { name: 'other' } } })], [], 'the backend cp has no session id of a'],
  ['of no backend', [session('a', { spec: { backendRef: undefined } })], [], 'the backend cp has no session id of a'],
  ['that hibernates', [session('a', { status: { phase: 'Hibernated' } })], [], 'the session a does not run, it is Hibernated'],
  ['that is new', [session('a', { status: { phase: undefined } })], [], 'the session a does not run, it is Pending'],
  ['without a port', [session('a', { status: { port: undefined } })], [], 'the session a names no pod or port yet'],
  ['whose pod is gone', [session('a')], [], 'the pod a-pod of the session a is gone, or about to go'],
  ['whose pod goes', [session('a')], [pod('a-pod', { session: 'a' }, { deletionTimestamp: 'now' })], 'or about to go'],
  ['whose pod is that of another', [session('a')], [pod('a-pod', { session: 'b' })], 'or about to go'],
])('no tunnel leads to a session %s', async (_, sessions, pods, why) => {
  const forwarder = { open: () => Promise.reject(new Error('it was tried')) };
  const tunnels = tunnelsTo(sessions, pods, forwarder, { opened: () => undefined, note: () => undefined });
  await expect(tunnels.open('cp', 'id of a', calm)).rejects.toThrow(why);
  expect(failures.splice(0)).toEqual([expect.stringMatching(`^id of a: .*${why}$`)]);
});

let namespace: string;
let node: string;

beforeAll(async () => {
  const corner = await tenant('tunnel');
  namespace = corner.namespace;
  node = (await corner.createNodes(1))[0] as string;
});

test('a browser reaches the desktop in the pod of its session, through the control plane and the API server', async () => {
  const target = await startTarget((socket) => {
    socket.write(GREETING);
    socket.on('data', (data) => socket.write(`you said ${data}`));
  });
  await forwardPort(controlPlane, { namespace, name: 'a-pod' }, 5900, target.port);
  const path = `/api/v1/namespaces/${namespace}/pods`;
  await controlPlane.api.create(path, {
    metadata: { name: 'a-pod', labels: { session: 'a' } },
    spec: { nodeName: node, containers: [{ name: 'session', image: 'example.invalid/none' }] },
  });
  const made = await waitFor(async () => {
    const read = projectPod(await controlPlane.api.get(`${path}/a-pod`));
    return read.phase === 'Running' && read;
  });

  const sessions: Session[] = [];
  const use: string[] = [];
  const tunnels = tunnelsTo(sessions, [made], forwarderOf(controlPlane.kubeconfig), {
    opened: (name, at) => use.push(`${name} opened at ${at.toISOString()}`),
    note: (name, at) => use.push(`${name} used at ${at.toISOString()}`),
  });
  const ending = new AbortController();
  onTestFinished(() => ending.abort());
  const rig = await startAdapterRig({
    sessions: { tunnel: (id, signal) => tunnels.open('cp', id, AbortSignal.any([signal, ending.signal])) },
  });
  await rig.connected();
  const sessionID = rig.cp.users.create({ user: 'eva', template: 'firefox' }).session?.id ?? '';
  sessions.push(session('a', { namespace, spec: { sessionID } }));
  const facts: SessionFacts = { sessionID, state: 'Running', active: true, port: 5900, podName: 'a-pod', message: '' };
  rig.sessions.push(facts);
  await rig.adapter.reportSession?.(facts, calm);
  await rig.cp.state(sessionID, 'running');

  const browser = rig.cp.users.open(sessionID);
  const text = () => Buffer.concat(browser.received.map((each) => Buffer.from(each, 'base64'))).toString();
  await rig.until(() => text() === GREETING);
  expect(use).toEqual(['a opened at 2026-01-15T10:30:00.000Z']);
  browser.send(Buffer.from('hello').toString('base64'));
  await rig.until(() => text() === `${GREETING}you said hello`);
  expect(use).toEqual(['a opened at 2026-01-15T10:30:00.000Z', 'a used at 2026-01-15T10:30:00.000Z']);
  expect(failures).toEqual([]);
});
