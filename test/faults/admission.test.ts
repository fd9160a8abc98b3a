import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { condition, inPhase } from '../scenarios/objects.ts';
import { useFaultyServer } from './rig.ts';
import { startWebhook, type Webhook } from './webhook.ts';

const rig = useFaultyServer('admission');
const { scene } = rig;

let webhook: Webhook;
let node: string;

beforeAll(async () => {
  [node = ''] = await scene.tenant.createNodes(1);
  webhook = await startWebhook(controlPlane, scene.tenant, node);
});

afterEach(() => {
  for (const what of ['nodes', 'pods/eviction', 'optimizationactions/status']) webhook.set(what, 'allow');
});

afterAll(() => webhook.close());

function says(reason: string) {
  return (object: Parameters<typeof condition>[0]) => condition(object, 'Ready').reason === reason;
}

function nodePatches(): Promise<string[]> {
  return scene.writes().then((lines) => lines.filter((line) => line === `patch nodes/${node}`));
}

test.each([
  ['deny', 'WebhookDenied', 'refused by an admission webhook or policy'],
  ['hang', 'WebhookUnavailable', 'held by an admission webhook that does not answer'],
] as const)(
  'a webhook that answers evictions with %s: the drain names it and the pods, asks again, and ends when it may',
  async (mode, reason, words) => {
    const drain = await rig.heldDrain(`evictions-${mode}`);
    webhook.set('pods/eviction', mode);
    await drain.letGo();
    const shown = await scene.actions.untilTask(`evictions-${mode}`, says(reason));
    expect(condition(shown, 'Ready').message).toContain(words);
    expect(shown.status?.blockers?.map(({ cause }) => cause)).toContain(reason);
    await waitFor(() => webhook.asked('pods/eviction') >= 3);
    webhook.set('pods/eviction', 'allow');
    await drain.finished();
  },
);

test('a webhook that refuses the change of a node: the cordon fails at once, with its words', async () => {
  webhook.set('nodes', 'deny');
  await scene.actions.create('denied', { action: 'Cordon', cordon: { nodeName: node } });
  const { status } = await scene.actions.until('denied', inPhase('Failed'));
  expect(status?.conditions).toContainEqual(
    expect.objectContaining({
      type: 'Stalled',
      status: 'True',
      reason: 'WebhookDenied',
      message: expect.stringContaining('not on a Friday'),
    }),
  );
  expect(webhook.asked('nodes')).toBe(1);
});

test('a webhook that does not answer the change of a node: the cordon says so, tries again, and is made once', async () => {
  const before = (await nodePatches()).length;
  webhook.set('nodes', 'hang');
  await scene.actions.create('unanswered', { action: 'Cordon', cordon: { nodeName: node } });
  const shown = await scene.actions.until('unanswered', says('WebhookUnavailable'));
  expect(condition(shown, 'Reconciling')).toMatchObject({ status: 'True', message: expect.stringContaining('nodes.guard.test') });
  webhook.set('nodes', 'allow');
  await scene.actions.until('unanswered', inPhase('Succeeded'));
  expect((await nodePatches()).length).toBe(before + 1);
});

test('a webhook that refuses our own status: nothing is begun that could not be recorded', async () => {
  const before = (await nodePatches()).length;
  const [other = ''] = await scene.tenant.createNodes(1);
  webhook.set('optimizationactions/status', 'deny');
  rig.task('unrecorded', 'drain_node', other);
  await waitFor(() => webhook.asked('optimizationactions/status') >= 3);
  expect(rig.operator.log.some(({ level, message }) => level === 'ERROR' && message.includes('not on a Friday'))).toBe(true);
  expect(await rig.metric('cloudoptim_pass_errors_total', { controller: 'actions' })).toBeGreaterThanOrEqual(3);
  expect((await scene.writes()).filter((line) => line.endsWith(other))).toEqual([]);
  webhook.set('optimizationactions/status', 'allow');
  expect((await rig.backend.result('unrecorded', 45_000)).body).toMatchObject({ status: 'success' });
  expect((await scene.writes()).filter((line) => line.endsWith(other))).toEqual([`patch nodes/${other}`]);
  expect((await nodePatches()).length).toBe(before);
});
