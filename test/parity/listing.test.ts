import { describe, expect, it } from 'vitest';
import { drain } from '../../operator/actions/drain/drain.ts';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { planContext, useLive } from './ground.ts';
import { kubectlDrain } from './kubectl-drain.ts';
import { behindProxy } from './restricted.ts';

const on = useLive();
const { api } = controlPlane;
const PODS = 510;

describe('the list of the pods of a node', () => {
  it('K6: pods are listed 500 a page by spec.nodeName as kubectl does, and an expired continue restarts the list', async () => {
    const ground = await on.ground('pages');
    const { namespace } = ground.t;
    // No kubelet plays on this node: nothing else happens to its pods.
    const node = `${ground.node}-idle`;
    const { metadata } = await api.create<{ metadata: { uid: string } }>('/api/v1/nodes', { metadata: { name: node } });
    try {
      const spec = { nodeName: node, terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'example.invalid/none' }] };
      const create = (_: unknown, index: number) =>
        api.create(`/api/v1/namespaces/${namespace}/pods`, { metadata: { name: `p${index}`, labels: { app: 'many' } }, spec });
      await Promise.all(Array.from({ length: PODS }, create));
      await using somebody = await behindProxy(ground);
      const { proxy, live } = somebody;
      await waitFor(() => live.cluster.view.podsOn(node).length === PODS, { what: 'the watch shows all pods' });
      const listsDuring = async (work: () => Promise<unknown>) => {
        const from = proxy.requests.length;
        await work();
        const paths = proxy.requests.slice(from).map(({ path }) => new URL(path, 'https://any').searchParams);
        return paths
          .filter((query) => query.has('fieldSelector'))
          .map((query) => ({ ...Object.fromEntries(query), continue: query.has('continue') }));
      };
      const params = drain.params.parse({ nodeName: node, podSelector: 'app=many' });
      const plan = () => drain.plan(params, planContext(live, metadata.uid));
      const page = { fieldSelector: `spec.nodeName=${node}`, labelSelector: 'app=many', limit: '500' };
      const first = { ...page, continue: false };
      const second = { ...page, continue: true };

      expect(await listsDuring(async () => expect((await plan()).blocked).toHaveLength(PODS))).toEqual([first, second]);
      const kubeconfig = await proxy.kubeconfig(somebody.kubeconfig);
      const kubectl = () => kubectlDrain(node, ['--dry-run=client', '--force', '--pod-selector=app=many'], kubeconfig);
      const theirs = await listsDuring(async () => expect((await kubectl()).stdout.match(/^evicting pod /gm)).toHaveLength(PODS));
      expect(theirs).toEqual([first, second]);

      let expired = 1;
      const body = {
        kind: 'Status',
        status: 'Failure',
        code: 410,
        reason: 'Expired',
        message: 'The provided continue parameter is too old',
      };
      proxy.fault(({ path }) => (path.includes('continue=') && expired-- > 0 ? { kind: 'answer', status: 410, body } : undefined));
      expect(await listsDuring(async () => expect((await plan()).blocked).toHaveLength(PODS))).toEqual([first, second, first, second]);
    } finally {
      await api.remove(`/api/v1/namespaces/${namespace}/pods`, { gracePeriodSeconds: 0 });
      await api.remove(`/api/v1/nodes/${node}`);
    }
  }, 180_000);
});
