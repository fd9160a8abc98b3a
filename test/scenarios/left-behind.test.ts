import { beforeAll, expect, test } from 'vitest';
import { hibernateAsReference, startAsReference } from '../backends/streamspace/reference-agent.ts';
import { type StreamSpaceControlPlane, startStreamSpace } from '../backends/streamspace/server.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { listPods } from '../cluster/workloads.ts';
import { condition } from './objects.ts';
import { eventually, useScene } from './scene.ts';

const AGENT = 'k8s-left';
const scene = useScene('left');
let cp: StreamSpaceControlPlane;

interface Stored {
  readonly metadata: { readonly uid: string; readonly ownerReferences?: readonly { readonly kind: string }[] };
  readonly spec: { readonly ports: readonly { readonly port: number }[] };
  readonly status?: { readonly phase?: string };
}

const path = (resource: string, name: string) =>
  `/apis/${resource === 'sessions' ? 'cloudoptim.io/v1alpha1' : 'apps/v1'}/namespaces/${scene.namespace}/${resource}/${name}`;
const phase = async (name: string) => (await scene.cp.api.call<Stored>('GET', path('sessions', name))).body.status?.phase;
const exists = async (where: string) => (await scene.cp.api.call('GET', where)).status === 200;
const service = (name: string) => `/api/v1/namespaces/${scene.namespace}/services/${name}`;
const pods = async (name: string) => (await listPods(scene.cp, scene.namespace, `session=${name}`)).map(({ metadata }) => metadata.uid);

const told = (sessionId: string, state: string) => cp.heard.of('status', { sessionId }).filter(({ payload }) => payload.state === state);

beforeAll(async () => {
  cp = await startStreamSpace();
  await scene.tenant.createNodes(1);
  const podSpec = { nodeSelector: scene.tenant.nodeSelector };
  const order = (sessionId: string) => ({ sessionId, user: 'ada', template: 'firefox', podSpec });
  await startAsReference(scene.cp.api, scene.namespace, { ...order('ada-runs'), ports: [{ name: 'web', containerPort: 8080 }] });
  await startAsReference(scene.cp.api, scene.namespace, { ...order('ada-sleeps'), persistentHome: true });
  await hibernateAsReference(scene.cp.api, scene.namespace, 'ada-sleeps');
  await waitFor(async () => (await pods('ada-runs')).length === 1 && (await pods('ada-sleeps')).length === 0, { what: 'the pods are so' });
  // What an operator has made whose Session somebody took away with force, and what only looks like it.
  const labels = { app: 'streamspace-session', session: 'lost', 'app.kubernetes.io/managed-by': 'cloudoptim-operator' };
  const deployments = `/apis/apps/v1/namespaces/${scene.namespace}/deployments`;
  for (const [name, more] of [
    ['lost', labels],
    ['foreign', { ...labels, session: 'foreign', 'app.kubernetes.io/managed-by': 'Helm' }],
  ] as const) {
    await scene.cp.api.create(deployments, {
      metadata: { name, labels: more },
      spec: {
        replicas: 0,
        selector: { matchLabels: { session: name } },
        template: { metadata: { labels: { session: name } }, spec: { containers: [{ name: 'session', image: 'x' }] } },
      },
    });
    const spec = { selector: { session: name }, ports: [{ port: 3000 }] };
    await scene.cp.api.create(`/api/v1/namespaces/${scene.namespace}/services`, { metadata: { name, labels: more }, spec });
  }
});

test('sessions of the agent before go on, without a restart, and what is ours and nobody’s goes', async () => {
  const before = await pods('ada-runs');
  cp.administrator.add(AGENT);
  const operator = await scene.operator({
    AGENT_ID: AGENT,
    CONTROL_PLANE_URL: cp.url,
    AGENT_API_KEY: cp.bootstrapKey,
    NAMESPACE: scene.namespace,
  });
  await cp.connected(AGENT, 30_000);
  await eventually(() => phase('ada-runs')).toBe('Running');
  await eventually(() => phase('ada-sleeps')).toBe('Hibernated');
  // Its control plane hears of both, which it may have lost sight of.
  await cp.waitFor(() => told('ada-runs', 'running').length === 1, 'that it runs');
  await cp.waitFor(() => told('ada-sleeps', 'hibernated').length === 1, 'that it is hibernated');
  expect(await pods('ada-runs')).toEqual(before);
  await eventually(async () => (await scene.cp.api.get<Stored>(service('ada-runs'))).spec.ports.map(({ port }) => port).sort()).toEqual([
    3000, 8080,
  ]);

  await eventually(() => exists(path('deployments', 'lost'))).toBe(false);
  await eventually(() => exists(service('lost'))).toBe(false);
  expect(await exists(path('deployments', 'foreign'))).toBe(true);
  expect(await exists(service('foreign'))).toBe(true);
  const lines = operator.log.map(({ message }) => String(message));
  expect(lines.filter((line) => line.startsWith('removed: it was made for a Session that does not exist'))).toHaveLength(2);

  const backend = await scene.backends.until('streamspace', (object) => condition(object, 'Ready').status === 'True');
  expect(condition(backend, 'Ready').message).toContain(`NAMESPACE is ${scene.namespace}`);
});

test('a session that was adopted is stopped by a command as any other', async () => {
  cp.administrator.command(AGENT, 'stop_session', { sessionId: 'ada-runs' });
  await eventually(() => exists(path('deployments', 'ada-runs'))).toBe(false);
  await cp.waitFor(() => told('ada-runs', 'terminated').length === 1, 'that it is terminated');
  expect(await pods('ada-runs')).toEqual([]);
});
