import { describe, expect, it } from 'vitest';
import { podsOnNode } from '../cluster/workloads.ts';
import { inPhase } from '../scenarios/objects.ts';
import { useScene } from '../scenarios/scene.ts';

const scene = useScene('effects');

/** What the operator asked the API server about a node and the pods of the namespace, in the order in which it came; from the audit log. */
async function asked(node: string) {
  const user = `system:serviceaccount:${scene.namespace}:cloudoptim-operator`;
  const events = (await scene.cp.auditEvents()).filter(
    ({ user: { username }, stage }) => username === user && stage === 'ResponseComplete',
  );
  return events
    .toSorted((a, b) => a.requestReceivedTimestamp.localeCompare(b.requestReceivedTimestamp))
    .flatMap(({ verb, requestURI, objectRef = {}, responseStatus }) => {
      const { resource = '', subresource, name = '' } = objectRef;
      const what = subresource ? `${resource}/${subresource}` : resource;
      const uri = decodeURIComponent(requestURI);
      const isAbout = uri.includes(node) || (what.startsWith('pods') && objectRef.namespace === scene.namespace);
      return isAbout ? [{ call: `${verb} ${what}`, name, uri, code: responseStatus?.code ?? 0 }] : [];
    });
}

describe('the order of effects, from the audit log', () => {
  it('I1 I3 I4 I5 I6 K1 K6: cordon, list, then evictions, each pod taken once and none deleted, although another operator goes on with it midway', async () => {
    const [node = ''] = await scene.tenant.createNodes(1);
    const options = { name: 'app', replicas: 6, terminatesAfter: '100ms', budget: { maxUnavailable: 2 } };
    const pods = await scene.tenant.createDeployment(options);
    const originals = new Map(pods.map(({ metadata }) => [metadata.name, metadata.uid]));
    const operator = await scene.operator();
    await scene.actions.create('drain', { action: 'Drain', drain: { nodeName: node } });
    // No other node: two are evicted, and their successors are pending, so that the budget holds the rest.
    await scene.actions.until('drain', ({ status }) => status?.progress?.done === 2);
    await operator.stop();
    await scene.tenant.createNodes(1);
    await scene.operator();
    const ended = await scene.actions.until('drain', inPhase('Succeeded', 'Failed'), 60_000);
    expect(ended.status).toMatchObject({ phase: 'Succeeded', result: { evicted: 6, total: 6, verified: true } });

    const calls = await asked(node);
    const first = (call: string) => calls.findIndex((each) => each.call === call);
    const isList = (each: { call: string; uri: string }) => each.call === 'list pods' && each.uri.includes(`spec.nodeName=${node}`);
    const lists = calls.filter(isList);
    expect(lists.every(({ uri }) => uri.includes('limit=500'))).toBe(true);
    // I1, K1: the cordon is answered, then the pods are listed, and only then one is evicted.
    expect([first('patch nodes'), calls.findIndex(isList), first('create pods/eviction')]).toEqual(
      [first('patch nodes'), calls.findIndex(isList), first('create pods/eviction')].toSorted((a, b) => a - b),
    );
    expect(first('patch nodes')).toBeGreaterThanOrEqual(0);
    expect(calls.filter(({ call }) => call === 'patch nodes')).toHaveLength(1);
    // I5: at most one accepted eviction per pod, here exactly one.
    const accepted = calls.filter(({ call, code }) => call === 'create pods/eviction' && code === 201).map(({ name }) => name);
    expect(accepted.toSorted()).toEqual([...originals.keys()].sort());
    // I3, I4: nothing was deleted, so nothing was both.
    expect(calls.filter(({ call }) => /^delete/.test(call))).toEqual([]);
    // I6: none of those that were there is.
    const uids = (await podsOnNode(scene.cp, node)).map(({ metadata }) => metadata.uid);
    expect([...originals.values()].filter((uid) => uids.includes(uid))).toEqual([]);
  }, 180_000);

  it('I2: a drain that any filter refuses writes nothing, neither to a pod nor to the node', async () => {
    const [node = ''] = await scene.tenant.createNodes(1);
    const podSpec = { nodeSelector: { 'kubernetes.io/hostname': node } };
    await scene.tenant.createDeployment({ name: 'fine', replicas: 3, podSpec });
    const spec = { nodeName: node, containers: [{ name: 'main', image: 'example.invalid/none' }] };
    await scene.cp.api.create(`/api/v1/namespaces/${scene.namespace}/pods`, { metadata: { name: 'lone' }, spec });
    const before = (await scene.writes()).length;
    await scene.actions.create('refused', { action: 'Drain', drain: { nodeName: node } });
    const ended = await scene.actions.until('refused', inPhase('Succeeded', 'Failed'));
    expect(ended.status).toMatchObject({ phase: 'Failed', result: { evicted: 0, remaining: 4 } });
    expect((await scene.writes()).slice(before)).toEqual([]);
    const tried = (await asked(node)).filter(({ call, name }) => !/^(get|list|watch) /.test(call) && !name.startsWith('app-'));
    expect(tried).toEqual([]);
  });
});
