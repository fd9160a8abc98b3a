import { setTimeout as sleep } from 'node:timers/promises';
import type { OptimizationAction } from '../../operator/api/optimization-action.ts';
import type { HeardResult } from '../backends/cloudoptim/journal.ts';
import { getNode } from '../cluster/nodes.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { podsOnNode } from '../cluster/workloads.ts';
import { keepASession } from './session-act.ts';
import type { Stage } from './stage.ts';
import { NAMESPACE, snapshotText } from './view.ts';

/** One part of the demo: every expectation in it throws when it is not met. */
export interface Act {
  readonly title: string;
  play(stage: Stage): Promise<void>;
}

const RESULT_WITHIN_MS = 30_000;

/** All parts, in their order. */
export const acts: readonly Act[] = [
  { title: '1. Tasks arrive: one over the socket, two by poll, one of them nonsense', play: tasksArrive },
  { title: '2. A drain of 12 pods meets a budget that spares none', play: drainIsHeld },
  { title: '3. The budget is relaxed, and the drain moves on by itself', play: drainMovesOn },
  { title: '4. The backend has its results, a snapshot of the cluster, and heartbeats', play: backendKnows },
  { title: '5. An action of your own, without any backend', play: applyByHand },
  { title: '6. A bad one is refused before it exists', play: refuseABadOne },
  { title: '7. A session: a desktop that starts, sleeps and wakes', play: keepASession },
];

async function tasksArrive({ central, cp, teller, view }: Stage): Promise<void> {
  const { backend } = central;
  central.hand({ task_id: 'task-cordon', task_type: 'cordon_node', parameters: { node_name: 'worker-4' }, priority: 1 }, 'socket');
  central.hand({ task_id: 'task-bad', task_type: 'reboot_node', parameters: { node_name: 'worker-2' } }, 'poll');
  const parameters = { node_name: 'worker-2', labels: { 'example.com/pool': 'reserved' } };
  central.hand({ task_id: 'task-label', task_type: 'label_node', parameters }, 'poll');
  const [cordon, bad, label] = await results(backend, 'task-cordon', 'task-bad', 'task-label');
  await view.refresh();
  const [cordoned, labelled] = await Promise.all([getNode(cp, 'worker-4'), getNode(cp, 'worker-2')]);
  teller.saw('worker-4 is cordoned', cordon === 'success' && cordoned.spec.unschedulable === true, cordon);
  const pool = labelled.metadata.labels?.['example.com/pool'];
  teller.saw('worker-2 has its label', label === 'success' && pool === 'reserved', label);
  const told = backend.heard.results.find(({ taskID }) => taskID === 'task-bad')?.body.error ?? '';
  const known = bad === 'failed' && told.startsWith('Unknown task type: reboot_node');
  teller.saw(`the nonsense was answered as failed, with the reason: ${told}`, known, bad);
}

async function drainIsHeld({ central, cp, teller, view }: Stage): Promise<void> {
  central.hand({ task_id: 'task-drain', task_type: 'drain_node', parameters: { node_name: 'worker-1' } }, 'socket');
  const held = await waitFor(
    async () => {
      const drain = await actionOf(cp, 'task-drain');
      return drain?.status?.blockers?.length === 12 ? drain : undefined;
    },
    { what: 'status.blockers of the drain names 12 pods' },
  );
  await view.refresh();
  const { name } = held.metadata;
  await teller.kubectl(cp, ['get', 'oa', name, '-n', NAMESPACE, '-o', 'jsonpath={.status.blockers[0]}']);
  await teller.kubectl(cp, ['get', 'oa', name, '-n', NAMESPACE, '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].message}']);
  const named = held.status?.blockers?.every(({ budget }) => budget === 'cart') ?? false;
  teller.saw('all 12 pods wait, and the budget that holds them is named: cart', named);
  // A drain that went on would have gone on by now.
  await sleep(1000);
  const [left, still] = await Promise.all([podsOnNode(cp, 'worker-1'), actionOf(cp, 'task-drain')]);
  const waits = left.length === 12 && !left.some(({ metadata }) => metadata.deletionTimestamp) && still?.status?.phase === 'Running';
  teller.saw('no pod was evicted; the action waits for the budget to change', waits, `${left.length} pods are left`);
}

async function drainMovesOn({ central, cp, teller, view }: Stage): Promise<void> {
  teller.tell('From now on 9 available pods are enough:');
  const change = JSON.stringify({ spec: { minAvailable: 9 } });
  const patched = await teller.kubectl(cp, ['patch', 'poddisruptionbudget', 'cart', '-n', 'shop', '--type=merge', '-p', change]);
  teller.saw('the budget is changed', patched.code === 0);
  const [drain] = await results(central.backend, 'task-drain');
  await view.refresh();
  const { body } = central.backend.heard.results.find(({ taskID }) => taskID === 'task-drain') as HeardResult;
  const well = drain === 'success' && body.metadata.evicted === 12 && body.metadata.verified === true;
  teller.saw(`the backend has taken: ${body.logs}, after ${body.duration_seconds} s in all`, well, body.error ?? '');
  const left = await podsOnNode(cp, 'worker-1');
  teller.saw('worker-1 is empty and cordoned', left.length === 0 && (await getNode(cp, 'worker-1')).spec.unschedulable === true);
  const moved = await cp.kubectl(['rollout', 'status', 'deployment/cart', '-n', 'shop', '--timeout=20s']);
  const [second, third] = await Promise.all([podsOnNode(cp, 'worker-2'), podsOnNode(cp, 'worker-3')]);
  const all = second.length + third.length;
  teller.saw('12 new pods are available on worker-2 and worker-3, none on the cordoned ones', moved.code === 0 && all === 12, `${all}`);
}

async function backendKnows({ central, cp, teller, view }: Stage): Promise<void> {
  const { backend } = central;
  const [drain, label] = await Promise.all([actionOf(cp, 'task-drain'), actionOf(cp, 'task-label')]);
  const mirrored = [drain, label].map((action) => `oa/${action?.metadata.name}`);
  const reported = await teller.kubectl(cp, ['wait', '--for=condition=Reported', ...mirrored, '-n', NAMESPACE, '--timeout=20s']);
  teller.saw('the objects know that their results were taken', reported.code === 0);
  const podsOnFirst = () => {
    const { nodes = [] } = (backend.heard.metrics.at(-1)?.body ?? {}) as { nodes?: { node_name: string; pod_count: number }[] };
    return nodes.find(({ node_name }) => node_name === 'worker-1')?.pod_count;
  };
  await backend.waitFor(() => podsOnFirst() === 0, 'a snapshot with an empty worker-1');
  const last = backend.heard.metrics.at(-1)?.body ?? {};
  await view.refresh();
  teller.saw(`a snapshot has arrived: ${snapshotText(last)}; worker-1 could go`, last.node_count === 4 && last.pod_count === 12);
  const beat = await backend.waitFor(() => backend.heard.heartbeats.find(({ body }) => body.status === 'healthy'), 'a healthy heartbeat');
  teller.saw(`the heartbeat says ${beat.body.status}`, true);
  teller.saw('the reference backend found no breach of the protocol', backend.violations.length === 0, backend.violations.join('; '));
}

async function applyByHand({ cp, teller, view }: Stage): Promise<void> {
  const input = manifest('back-in-service', 'action: Uncordon', 'uncordon: { nodeName: worker-4 }');
  const applied = await teller.kubectl(cp, ['apply', '-f', '-'], { input });
  teller.saw('the API server took it', applied.code === 0);
  const args = ['wait', '--for=condition=Ready', 'oa/back-in-service', '-n', NAMESPACE, '--timeout=20s'];
  const ended = await teller.kubectl(cp, args);
  await view.refresh();
  const open = (await getNode(cp, 'worker-4')).spec.unschedulable !== true;
  teller.saw('worker-4 is schedulable again', ended.code === 0 && open);
}

async function refuseABadOne({ cp, teller }: Stage): Promise<void> {
  const input = manifest('not-like-this', 'action: Drain', 'cordon: { nodeName: worker-2 }');
  const refused = await teller.kubectl(cp, ['apply', '-f', '-'], { input });
  teller.saw('the API server refused it and said why', refused.code !== 0 && refused.stderr.includes('drain'), refused.stdout);
  const absent = await cp.kubectl(['get', 'oa', 'not-like-this', '-n', NAMESPACE]);
  teller.saw('there is no such object', absent.code !== 0);
}

/** The status of each result, once the backend has taken them all. */
function results(backend: Stage['central']['backend'], ...ids: readonly string[]): Promise<string[]> {
  return Promise.all(ids.map(async (id) => (await backend.result(id, RESULT_WITHIN_MS)).body.status));
}

async function actionOf(cp: Stage['cp'], taskID: string): Promise<OptimizationAction | undefined> {
  const path = `/apis/cloudoptim.io/v1alpha1/namespaces/${NAMESPACE}/optimizationactions`;
  const { items } = await cp.api.get<{ items: OptimizationAction[] }>(path);
  return items.find(({ spec }) => spec?.source?.taskID === taskID);
}

function manifest(name: string, ...spec: readonly string[]): string {
  return [
    'apiVersion: cloudoptim.io/v1alpha1',
    'kind: OptimizationAction',
    `metadata: { name: ${name}, namespace: ${NAMESPACE} }`,
    'spec:',
    ...spec.map((line) => `  ${line}`),
    '',
  ].join('\n');
}
