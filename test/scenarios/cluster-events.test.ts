import { beforeAll, expect, test } from 'vitest';
import type { CloudOptimBackend } from '../backends/cloudoptim/server.ts';
import { getNode } from '../cluster/nodes.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { seedVariables, useScene } from './scene.ts';

const scene = useScene('events');
let backend: CloudOptimBackend;
let node: string;

interface SentEvent {
  event_type: string;
  name: string;
  reason: string;
  type: string;
  message: string;
  count: number;
  involved_object: { kind: string; name: string; namespace: string };
}

beforeAll(async () => {
  [node = ''] = await scene.tenant.createNodes(1);
  backend = await scene.backend();
  const operator = await scene.operator(seedVariables(backend));
  await operator.ready();
  await backend.waitFor(() => backend.heard.heartbeats.length > 0, 'the first heartbeat');
});

/** The events about one object that the backend took; the cluster has those of other tests too. */
function about(name: string): SentEvent[] {
  return backend.heard.events.flatMap(({ body }) => body as unknown as SentEvent[]).filter((event) => event.involved_object.name === name);
}

/** The first one about it, of this type if one is named: a pod may have had to wait for a node before. */
async function eventAbout(name: string, type?: string): Promise<SentEvent> {
  const look = () => about(name).find((event) => type === undefined || event.event_type === type);
  return backend.waitFor(look, `an event about ${name}`, 20_000);
}

async function makePod(name: string, spec: object): Promise<void> {
  const containers = [{ name: 'main', image: 'example.invalid/none' }];
  await scene.cp.api.create(`/api/v1/namespaces/${scene.namespace}/pods`, { metadata: { name }, spec: { containers, ...spec } });
}

const podPath = (name: string) => `/api/v1/namespaces/${scene.namespace}/pods/${name}`;

test.concurrent('a pod that fits nowhere', async () => {
  await makePod('nowhere', { nodeSelector: { 'example.com/no-such': 'node' } });
  expect(await eventAbout('nowhere')).toMatchObject({
    event_type: 'FailedScheduling',
    type: 'Warning',
    message: expect.stringContaining('nodes are available'),
    involved_object: { kind: 'Pod', namespace: scene.namespace },
  });
});

test.concurrent('a container that ran out of memory, by its state', async () => {
  await makePod('greedy', { nodeName: node });
  const read = () => scene.cp.api.get<{ status: { phase: string; containerStatuses: object[] } }>(podPath('greedy'));
  const { status } = await waitFor(async () => ((await read()).status.phase === 'Running' ? await read() : undefined));
  const finishedAt = `${new Date().toISOString().slice(0, 19)}Z`;
  const terminated = { exitCode: 137, reason: 'OOMKilled', startedAt: finishedAt, finishedAt };
  const containerStatuses = [{ ...status.containerStatuses[0], restartCount: 1, lastState: { terminated } }];
  await scene.cp.api.patch(`${podPath('greedy')}/status`, { status: { containerStatuses } });
  expect(await eventAbout('greedy')).toMatchObject({ event_type: 'OOMKilled', message: expect.stringContaining('main') });
  // The state stays for the rest of the pod's life: it is no second kill.
  await scene.cp.api.patch(podPath('greedy'), { metadata: { labels: { touched: 'yes' } } });
});

test.concurrent('a pod that is evicted', async () => {
  const [pod] = await scene.tenant.createDeployment({ name: 'evicted', terminatesAfter: '500ms' });
  const name = pod?.metadata.name ?? '';
  await scene.actions.create('evict', { action: 'Evict', evict: { namespace: scene.namespace, podName: name } });
  expect(await eventAbout(name, 'Evicted')).toMatchObject({ event_type: 'Evicted', involved_object: { kind: 'Pod', name } });
});

test.concurrent('a node that is no longer ready', async () => {
  const { status } = await getNode(scene.cp, node);
  const conditions = status.conditions?.map((each) => (each.type === 'Ready' ? { ...each, status: 'False', reason: 'KubeletDown' } : each));
  await scene.cp.api.patch(`/api/v1/nodes/${node}/status`, { status: { conditions } });
  expect(await eventAbout(node)).toMatchObject({ event_type: 'NodeNotReady', involved_object: { kind: 'Node', name: node } });
});

test('each is sent once, and one that the backend did not take is sent again and not lost', async () => {
  const failing = backend.fail('events', { kind: 'status', status: 500 }, 2);
  await makePod('late', { nodeSelector: { 'example.com/no-such': 'node' } });
  await eventAbout('late');
  expect(failing.hits).toBe(2);
  for (const name of ['greedy', node]) expect(about(name), name).toHaveLength(1);
  // The scheduler tries again and again: as many Events as it wrote.
  for (const name of ['nowhere', 'late']) {
    const sent = about(name).map((event) => `${event.name} ${event.count}`);
    expect(new Set(sent).size, name).toBe(sent.length);
  }
  expect(backend.violations).toEqual([]);
});
