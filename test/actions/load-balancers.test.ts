import { expect, it } from 'vitest';
import type { ActionDefinition } from '../../operator/actions/action.ts';
import { cordon } from '../../operator/actions/cordon.ts';
import { drain } from '../../operator/actions/drain/drain.ts';
import { uncordon } from '../../operator/actions/uncordon.ts';
import { contextFor, FakeCluster, makeNode } from './fake-cluster.ts';

const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';
const EXCLUDED_BY = 'cloudoptim.io/excluded-from-load-balancers-by';
const CORDONED_BY = 'cloudoptim.io/cordoned-by';

/** What one pass writes to the node, without the fence. */
async function writesOf(action: ActionDefinition, more: Parameters<typeof makeNode>[0], asked: object = {}): Promise<unknown[]> {
  const cluster = new FakeCluster();
  cluster.node = makeNode(more);
  await action.execute(action.params.parse({ nodeName: 'n1', ...asked }), contextFor(cluster));
  return cluster.calls
    .filter((call) => call.startsWith('patch '))
    .map((call) => {
      const { metadata, ...rest } = JSON.parse(call.slice('patch '.length));
      const { uid: _, resourceVersion: __, ...changed } = metadata;
      return { metadata: changed, ...rest };
    });
}

const ours = { labels: { [EXCLUDED]: '' }, annotations: { [EXCLUDED_BY]: 'x/y' } };

it.each([cordon, drain])('M14 $name takes the node out in the patch of the cordon, and only when asked', async (action) => {
  const asked = { excludeFromLoadBalancers: true };
  expect(await writesOf(action as unknown as ActionDefinition, {}, asked)).toEqual([
    {
      metadata: {
        labels: { [EXCLUDED]: '' },
        annotations: expect.objectContaining({ [CORDONED_BY]: 'cloudoptim/a', [EXCLUDED_BY]: 'cloudoptim/a' }),
      },
      spec: { unschedulable: true },
    },
  ]);
  const [plain] = await writesOf(action as unknown as ActionDefinition, {});
  expect(JSON.stringify(plain)).not.toContain('load-balancers');
});

it.each([
  [
    'a cordoned node gets only the label',
    cordon,
    { unschedulable: true },
    [{ metadata: { labels: { [EXCLUDED]: '' }, annotations: { [EXCLUDED_BY]: 'cloudoptim/a' } } }],
  ],
  ['a node that is out already is left alone', cordon, { unschedulable: true, labels: { [EXCLUDED]: 'by-hand' } }, []],
  [
    'who uncordons takes our label away',
    uncordon,
    { ...ours, unschedulable: true },
    [{ metadata: { labels: { [EXCLUDED]: null }, annotations: { [EXCLUDED_BY]: null } }, spec: { unschedulable: null } }],
  ],
  ['and where only it is left', uncordon, ours, [{ metadata: { labels: { [EXCLUDED]: null }, annotations: { [EXCLUDED_BY]: null } } }]],
  ['but not one of somebody else', uncordon, { labels: { [EXCLUDED]: '' } }, []],
  [
    'and forgets one that was taken away by hand',
    uncordon,
    { unschedulable: true, annotations: { [EXCLUDED_BY]: 'x/y' } },
    [{ metadata: { annotations: { [EXCLUDED_BY]: null } }, spec: { unschedulable: null } }],
  ],
])('M14 %s', async (_row, action, node, writes) => {
  expect(await writesOf(action as unknown as ActionDefinition, node, { excludeFromLoadBalancers: true })).toEqual(writes);
});
