import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { createNodes } from '../cluster/nodes.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { createNamespace } from '../cluster/workloads.ts';
import { actionsOf, inPhase } from './objects.ts';
import { startOperator } from './operator-process.ts';

const NAMESPACE = 'desks';
const SESSIONS = `/apis/cloudoptim.io/v1alpha1/namespaces/${NAMESPACE}/sessions`;
let cp: ControlPlane;

beforeAll(async () => {
  cp = await startControlPlane({ log: () => {} });
  await Promise.all([createNamespace(cp, NAMESPACE), createNodes(cp, ['n1']), apply('optimization-action', 'optimization-backend')]);
});
afterAll(() => cp?.close());

async function apply(...names: readonly string[]): Promise<void> {
  const files = names.map((name) => `--filename=${join(import.meta.dirname, '../../crds', name)}.yaml`);
  for (const args of [
    ['apply', '--server-side', ...files],
    ['wait', '--for=condition=Established', '--timeout=30s', ...files],
  ]) {
    expect((await cp.kubectl(args)).stderr).toBe('');
  }
}

test('where the kinds of the sessions are not installed yet everything else works, and sessions do as soon as they are', async () => {
  await using operator = await startOperator({ kubeconfig: cp.kubeconfig, namespace: NAMESPACE });
  await operator.ready();
  const actions = actionsOf(cp, NAMESPACE);
  await actions.create('label', { action: 'Label', label: { kind: 'Node', name: 'n1', set: { a: 'b' } } });
  await actions.until('label', inPhase('Succeeded'));
  expect(operator.log.filter(({ level, message }) => level === 'ERROR' && message !== '')).toEqual([]);
  await apply('session', 'session-template');
  const apiVersion = 'cloudoptim.io/v1alpha1';
  const spec = { user: 'ada', template: { image: 'example.invalid/desk' } };
  await cp.api.create(SESSIONS, { apiVersion, kind: 'Session', metadata: { name: 'ada' }, spec });
  const phase = async () => (await cp.api.get<{ status?: { phase?: string } }>(`${SESSIONS}/ada`)).status?.phase;
  await waitFor(async () => (await phase()) === 'Running', { within: 30_000, what: 'the session runs' });
}, 60_000);
