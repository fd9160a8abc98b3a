import { OPTIMIZATION_ACTIONS } from '../../operator/api/optimization-action.ts';
import { collectionPath } from '../../operator/kube/resources.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { note } from './figure.ts';
import { NAMESPACE, type Rig } from './rig.ts';

/** Requests at the same time. */
const WIDTH = 40;
const collection = collectionPath(OPTIMIZATION_ACTIONS, NAMESPACE);

/** Makes so many OptimizationActions in the operator's namespace, as kubectl would. */
export async function makeActions(
  rig: Rig,
  count: number,
  made: (index: number) => { metadata: { name: string }; spec: object },
): Promise<void> {
  const { apiVersion, kind } = {
    apiVersion: `${OPTIMIZATION_ACTIONS.group}/${OPTIMIZATION_ACTIONS.version}`,
    kind: OPTIMIZATION_ACTIONS.kind,
  };
  await inParallel(count, (index) => rig.cp.api.create(collection, { apiVersion, kind, ...made(index) }));
}

/** Makes so many cordons that have succeeded just now; `tracked`: a GitOps tool has made them, so that the operator keeps them all. */
export async function makeFinished(rig: Rig, count: number, tracked: boolean): Promise<void> {
  const began = performance.now();
  const now = new Date().toISOString();
  const annotations = tracked ? { 'argocd.argoproj.io/tracking-id': 'bench' } : {};
  const name = (index: number) => `finished-${index}`;
  const finalizers = ['cloudoptim.io/operator'];
  await makeActions(rig, count, (index) => ({
    metadata: { name: name(index), annotations, finalizers },
    spec: { action: 'Cordon', cordon: { nodeName: `node-${(index % 10) + 1}` } },
  }));
  const condition = {
    type: 'Ready',
    status: 'True',
    reason: 'Done',
    message: 'node cordoned',
    lastTransitionTime: now,
    observedGeneration: 1,
  };
  const result = { changed: true, before: { unschedulable: false }, after: { unschedulable: true } };
  const status = {
    phase: 'Succeeded',
    target: 'node/node-1',
    startedAt: now,
    finishedAt: now,
    observedGeneration: 1,
    result,
    conditions: [condition],
  };
  await inParallel(count, (index) => rig.cp.api.patch(`${collection}/${name(index)}/status`, { status }));
  note(`made ${count} finished actions in ${((performance.now() - began) / 1000).toFixed(0)} s`);
}

/** Resolves when there are so many actions in each of these phases. */
export async function untilPhases(rig: Rig, wanted: Readonly<Record<string, number>>): Promise<void> {
  const count = async (phase: string) => {
    const { items } = await rig.cp.api.get<{ items: unknown[] }>(`${collection}?fieldSelector=status.phase%3D${phase}`);
    return items.length;
  };
  for (const [phase, least] of Object.entries(wanted)) {
    await waitFor(async () => (await count(phase)) >= least, { within: 180_000, every: 1000, what: `${least} actions are ${phase}` });
  }
}

async function inParallel(count: number, work: (index: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: WIDTH }, worker));
}
