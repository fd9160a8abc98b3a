import { controlPlane, tenant } from '../cluster/shared.ts';
import { connectLive } from './live.ts';
import { drain } from '../../operator/actions/drain/drain.ts';
import { it } from 'vitest';
it('bench', async () => {
  await using live = await connectLive(controlPlane.kubeconfig);
  const sig = () => new AbortController().signal;
  for (let i = 0; i < 3; i++) {
  for (const mode of ['floor', 'ours']) {
    const t = await tenant('bench' + mode);
    const [a] = await t.createNodes(1); 
    await t.createDeployment({ name: 'web', replicas: 100 });
    await t.createNodes(1);
    const node = await live.cluster.getNode(a!, sig());
    if (mode === 'ours') {
      const s = performance.now();
      const { passes, end } = await live.run(drain, { nodeName: a! }, { targetUID: node.uid });
      console.log(mode, performance.now() - s, passes.length, end.message);
    } else {
      const s = performance.now();
      await live.cluster.mergePatch({ resource: { group: '', version: 'v1', plural: 'nodes', kind: 'Node', namespaced: false }, name: a! }, { spec: { unschedulable: true } }, sig());
      const pods = await live.cluster.listPodsOn(a!, undefined, sig());
      await Promise.all(pods.map((p) => live.cluster.evict(p, undefined, sig())));
      const e = performance.now() - s;
      while (live.cluster.view.podsOn(a!).length > 0) await new Promise((r) => setTimeout(r, 5));
      console.log(mode, e, performance.now() - s);
    }
    await t.remove();
  } }
}, 120000);
