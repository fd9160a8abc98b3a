import { expect } from 'vitest';
import { OPTIMIZATION_ACTIONS } from '../../operator/api/optimization-action.ts';
import { collectionPath, EVENTS } from '../../operator/kube/resources.ts';
import { FINALIZER } from '../../operator/sync/task-object.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { driveIssuedKey } from './drive-issued-key.ts';
import { driveSessions } from './drive-sessions.ts';
import { NAMESPACE } from './install.ts';
import { ended, make, read, remove, runTask } from './objects.ts';
import { NODES, type Rig } from './rig.ts';

interface List {
  readonly items: readonly { readonly metadata: { readonly name: string; readonly finalizers?: readonly string[] } }[];
}

const [, , , OTHER] = NODES;
/** What is too late is recorded, reported and removed like anything else, but no action looks at its target. */
const LONG_AGO = '2020-01-01T00:00:00Z';

/** What the loops do beside actions: mirroring, refusing, reporting, Events, snapshots, expiry and the last look at what is deleted. */
export async function driveLoops(rig: Rig): Promise<void> {
  const { backend, cp } = rig;
  await driveSessions(rig);
  await driveIssuedKey(rig);
  expect(await runTask(rig, 'reboot_node', { node_name: OTHER })).toBe('failed');
  expect(await runTask(rig, 'label_node', { node_name: OTHER, labels: { 'not a key': 'x' } })).toBe('failed');
  expect(await runTask(rig, 'cordon_node', { node_name: OTHER }, { deadline: LONG_AGO })).toBe('timeout');

  const list = async (path: string) => (await cp.api.get<List>(path)).items;
  const mirrored = await list(`${collectionPath(OPTIMIZATION_ACTIONS, NAMESPACE)}?labelSelector=cloudoptim.io/backend=default`);
  expect(mirrored[0]?.metadata.finalizers).toEqual([FINALIZER]);
  await remove(rig, mirrored[0]?.metadata.name ?? '');

  const late = { action: 'Cordon', params: { nodeName: OTHER }, spec: { deadline: LONG_AGO } };
  const brief = await make(rig, { ...late, spec: { ...late.spec, ttlSecondsAfterFinished: 0 } });
  await waitFor(async () => (await read(rig, brief)) === undefined, { what: `${brief} is deleted after its time to live` });
  const kept = await make(rig, late);
  await ended(rig, kept, 'Expired');

  const tells = async () => (await list(collectionPath(EVENTS, NAMESPACE))).some(({ metadata }) => metadata.name.startsWith(`${kept}.`));
  await waitFor(tells, { what: `an Event tells of ${kept}` });
  await backend.waitFor(() => backend.heard.metrics.at(-1), 'a snapshot');
  await backend.waitFor(() => backend.heard.heartbeats.at(-1), 'a heartbeat');
}
