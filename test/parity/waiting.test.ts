import { describe, expect, it } from 'vitest';
import { evict } from '../../operator/actions/evict.ts';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { useLive } from './ground.ts';
import { kubectlDrain } from './kubectl-drain.ts';
import { behindProxy } from './restricted.ts';
import { createOwner, HELD } from './zoo.ts';

const on = useLive();
const { api } = controlPlane;

describe.concurrent('waiting for pods that were asked to go, beside the real kubectl', () => {
  it('K9: a pod that was terminating for longer than it should when the drain came is not waited for by either', async () => {
    const ground = await on.ground('overdue');
    await ground.pod('stuck', { metadata: { ...HELD, ...(await createOwner(ground)) } });
    const path = `/api/v1/namespaces/${ground.t.namespace}/pods/stuck`;
    await api.remove(path, { gracePeriodSeconds: 1 });
    const view = () => on.live.cluster.view.pod(ground.t.namespace, 'stuck');
    const { deletionTimestamp = '' } = await waitFor(() => (view()?.deletionTimestamp ? view() : undefined), { what: 'it is terminating' });
    const secondsOver = () => (Date.now() - Date.parse(deletionTimestamp)) / 1000;
    await waitFor(() => secondsOver() > 3, { what: 'its end is more than two whole seconds ago' });
    expect(await kubectlDrain(ground.node, ['--skip-wait-for-delete-timeout=2', '--timeout=20s'])).toMatchObject({ code: 0 });
    // Ours is 60 s, and the time of a pass is handed to it.
    const clock = () => new Date(Date.now() + 60_000);
    const { end } = await ground.drain({}, { clock, startedAt: clock() });
    expect(end).toMatchObject({ state: 'succeeded', result: { skipped: { terminating: 1 } } });
    expect(await ground.left()).toEqual(['stuck']);
  });

  it('K27: a pod is done when it has gone or its name has another UID, and a read that fails does not matter', async () => {
    const ground = await on.ground('reads');
    const { namespace } = ground.t;
    const metadata = { ...(await createOwner(ground)), annotations: { 'cloudoptim.test/terminates-after': '60s' } };
    await ground.pod('app', { metadata });
    const path = `/api/v1/namespaces/${namespace}/pods/app`;
    const uid = on.live.cluster.view.pod(namespace, 'app')?.uid ?? '';
    await using somebody = await behindProxy(ground);
    const body = { kind: 'Status', status: 'Failure', code: 500, reason: 'InternalError', message: 'etcdserver: request timed out' };
    let failures = 0;
    somebody.proxy.fault(({ method, path: asked, watch }) => {
      const isRead = method === 'GET' && !watch && asked.startsWith(path);
      return isRead && failures-- > 0 ? { kind: 'answer', status: 500, body } : undefined;
    });
    const [elsewhere = ''] = await ground.t.createNodes(1);
    let swapped = false;
    const after = async () => {
      if (swapped || !somebody.live.cluster.view.pod(namespace, 'app')?.deletionTimestamp) return;
      swapped = true;
      failures = 2;
      await api.remove(path, { gracePeriodSeconds: 0 });
      const isGone = async () => (await api.call('GET', path)).status === 404;
      await waitFor(isGone, { what: 'the pod has gone' });
      await ground.pod('app', { spec: { nodeName: elsewhere } });
    };
    const thrown: unknown[] = [];
    const onThrow = (error: unknown) => void thrown.push(error);
    const { end } = await somebody.live.run(evict, { namespace, podName: 'app' }, { targetUID: uid, after, onThrow });
    expect(end).toMatchObject({ state: 'succeeded', result: { gone: true, uid, changed: true } });
    expect(thrown).toHaveLength(2);
    expect(somebody.ground.writes()).toEqual([`evict ${namespace}/app`]);
    expect(await api.get(path)).toMatchObject({ spec: { nodeName: elsewhere } });
  });
});
