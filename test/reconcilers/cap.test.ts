import { expect, onTestFinished, test } from 'vitest';
import { OPTIMIZATION_ACTIONS, type OptimizationAction, type OptimizationActionStatus } from '../../operator/api/optimization-action.ts';
import type { SessionDesk } from '../../operator/api/session-desk.ts';
import { Bus } from '../../operator/kube/bus.ts';
import type { Cluster } from '../../operator/kube/cluster.ts';
import { Controller } from '../../operator/kube/controller.ts';
import { collectionPath } from '../../operator/kube/resources.ts';
import { startObjectWatches } from '../../operator/kube/standing-watches.ts';
import { Watches } from '../../operator/kube/watches.ts';
import { Graveyard } from '../../operator/reconcilers/graveyard.ts';
import { ActionReconciler } from '../../operator/reconcilers/optimization-action.ts';
import { Retention } from '../../operator/reconcilers/retention.ts';
import { TargetLocks } from '../../operator/reconcilers/target-locks.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { clientOf } from '../kube/clients.ts';
import { finished } from './objects.ts';

const CAP = 5;
const { namespace } = await tenant('cap');
const collection = collectionPath(OPTIMIZATION_ACTIONS, namespace);

/** Makes an object that has ended so many minutes ago. */
async function make(name: string, minutes: number, more: Parameters<typeof finished>[0] = {}): Promise<void> {
  const finishedAt = new Date(Date.now() - minutes * 60_000).toISOString();
  const { apiVersion, kind, spec, status } = finished({ ...more, status: { finishedAt, ...more.status } });
  await controlPlane.api.create(collection, { apiVersion, kind, metadata: { name, ...more.metadata }, spec });
  await controlPlane.api.patch(`${collection}/${name}/status`, { status });
}

async function names(): Promise<string[]> {
  const { items } = await controlPlane.api.get<{ items: OptimizationAction[] }>(collection);
  return items.map(({ metadata }) => metadata.name).sort();
}

/** The part of the operator that deletes, with a cap of five; its rest does not care for finished objects. */
async function startDeleting(): Promise<void> {
  const client = clientOf(controlPlane);
  const clock = () => new Date();
  const onError = (error: unknown) => expect.unreachable(String(error));
  const bus = new Bus();
  const watches = new Watches(client, 120, () => undefined);
  const objects = startObjectWatches<OptimizationAction, OptimizationAction>(OPTIMIZATION_ACTIONS, OPTIMIZATION_ACTIONS);
  const graveyard = new Graveyard({ client, namespace, clock, onError });
  const backendExists = () => true;
  const retention = new Retention({ cap: CAP, backendExists, clock, onDue: (key) => controller.enqueue(key) });
  const reconciler = new ActionReconciler({
    cluster: {} as Cluster,
    sessions: {} as SessionDesk,
    actions: [],
    locks: new TargetLocks(() => undefined),
    backendExists,
    earlierRun: () => undefined,
    isDue: (key) => retention.isDue(key),
    clock,
    dryRun: false,
  });
  const controller = new Controller<OptimizationActionStatus, OptimizationAction>({
    name: 'actions',
    resource: OPTIMIZATION_ACTIONS,
    client,
    bus,
    store: objects.actions,
    width: 4,
    finalizer: 'cloudoptim.io/operator',
    progressEvery: 1,
    reconcile: async (object, context) =>
      object.status?.finishedAt ? reconciler.reconcile(object, context) : { next: { kind: 'settled' as const } },
    isRelevant: () => true,
    isUrgent: () => true,
    explain: (object) => object.status ?? {},
    beforeGone: (object) => graveyard.bury(object),
    onError: (_, error) => onError(error),
  });
  objects.actions.onChange((before, after) => retention.notice(before, after));
  onTestFinished(async () => {
    retention.close();
    await controller.close();
    await watches.close();
  });
  await Promise.all([graveyard.load(new AbortController().signal), objects.start(watches, namespace)[0]]);
  retention.open(objects.actions.values());
  controller.open();
}

test('beyond the cap the finished objects whose time would be over first are deleted, with a tombstone, and never any other', async () => {
  const tracked = { metadata: { labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } } };
  const unreported = { spec: { source: { backend: 'prod', taskID: 't' } } };
  await Promise.all([
    ...Array.from({ length: 6 }, (_, index) => make(`success-${index}`, 10 + index)),
    make('failure', 60, { status: { phase: 'Failed' } }),
    ...Array.from({ length: 3 }, (_, index) => make(`tracked-${index}`, 600, tracked)),
    make('unreported', 600, unreported),
    make('running', 600, { status: { phase: 'Running', finishedAt: undefined } }),
  ]);
  await startDeleting();
  const others = ['running', 'tracked-0', 'tracked-1', 'tracked-2', 'unreported'];
  const few = async () => (await names()).length <= CAP + others.length;
  await waitFor(few, { what: 'the cap holds' });
  expect(await names()).toEqual(
    ['failure', ...others.slice(0, 1), 'success-0', 'success-1', 'success-2', 'success-3', ...others.slice(1)].sort(),
  );

  await make('success-new', 0);
  await waitFor(async () => !(await names()).includes('success-3'), { what: 'the next one made room' });
  expect(await names()).toHaveLength(CAP + others.length);
  const { data } = await controlPlane.api.get<{ data: object }>(`/api/v1/namespaces/${namespace}/configmaps/cloudoptim-tombstones-0`);
  expect(Object.keys(data).sort()).toEqual(['success-3', 'success-4', 'success-5']);
});
