import { afterAll, beforeAll, expect, test } from 'vitest';
import { hibernateAsReference, type ReferenceOrder, startAsReference } from '../backends/streamspace/reference-agent.ts';
import { eventually } from './scene.ts';
import { AGENT, SIZE, useStreamSpace } from './streamspace-scene.ts';

const place = useStreamSpace('streamspace-adoption');
const AWAKE = 'admin-firefox-0c757c2e';
const ASLEEP = 'bob-desk-11aa22bb';
const volumes: string[] = [];

function order(sessionId: string): ReferenceOrder {
  const [user = '', template = ''] = sessionId.split('-');
  return { sessionId, user, template, persistentHome: true, ...SIZE };
}

/** A volume for the home: the class that the reference agent names has nobody who would make one. */
async function volume(claim: string): Promise<void> {
  const name = `${place.scene.namespace}-${claim}`;
  volumes.push(name);
  await place.scene.cp.api.create('/api/v1/persistentvolumes', {
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'standard',
      capacity: { storage: '10Gi' },
      claimRef: { namespace: place.scene.namespace, name: claim },
      hostPath: { path: '/none' },
      persistentVolumeReclaimPolicy: 'Retain',
    },
  });
}

beforeAll(async () => {
  const { scene, cp } = place;
  cp.administrator.add(AGENT);
  for (const id of [AWAKE, ASLEEP]) {
    await volume(`${id}-home`);
    await startAsReference(scene.cp.api, scene.namespace, order(id));
    const { user, template } = order(id);
    cp.database.addSession({ id, user, template, agentID: AGENT, state: id === AWAKE ? 'running' : 'hibernated' });
  }
  await hibernateAsReference(scene.cp.api, scene.namespace, ASLEEP);
});

afterAll(() => Promise.all(volumes.map((name) => place.scene.cp.api.remove(`/api/v1/persistentvolumes/${name}`))));

test('sessions that the reference agent has left go on, with their pods, homes and users', { timeout: 120_000 }, async () => {
  const { scene, cp, variables } = place;
  await eventually(() => place.pods(AWAKE)).toHaveLength(1);
  await eventually(() => place.pods(ASLEEP)).toEqual([]);
  const [pod] = await place.pods(AWAKE);
  const uidOf = async (path: string) =>
    (await scene.cp.api.get<{ metadata: { uid: string } }>(path.replace('*', `namespaces/${scene.namespace}`))).metadata.uid;
  const claims = [AWAKE, ASLEEP].map((id) => `/api/v1/*/persistentvolumeclaims/${id}-home`);
  const deployment = `/apis/apps/v1/*/deployments/${AWAKE}`;
  const before = await Promise.all([...claims, deployment].map(uidOf));

  const operator = await scene.operator(variables);
  await operator.ready();
  await place.session(AWAKE, ({ status }) => status?.phase === 'Running');
  await place.session(ASLEEP, ({ status }) => status?.phase === 'Hibernated');
  expect(await place.pods(AWAKE)).toEqual([pod]);
  expect(await Promise.all([...claims, deployment].map(uidOf))).toEqual(before);

  expect((await cp.ended(cp.users.hibernate(AWAKE).command, 30_000)).status).toBe('completed');
  expect(cp.session(AWAKE).state).toBe('hibernated');
  expect(await place.pods(AWAKE)).toEqual([]);
  for (const id of [AWAKE, ASLEEP]) {
    expect((await cp.ended(cp.users.wake(id).command, 30_000)).status).toBe('completed');
    expect(cp.session(id)).toMatchObject({ state: 'running', url: expect.stringContaining(id) });
  }
  for (const id of [AWAKE, ASLEEP]) {
    cp.users.delete(id);
    await cp.state(id, 'terminated', 30_000);
    await eventually(() => place.exists('apis/apps/v1', 'deployments', id)).toBe(false);
  }
  // The homes stay.
  expect(await Promise.all(claims.map(uidOf))).toEqual(before.slice(0, 2));
  expect(cp.violations).toEqual([]);
});

test('a session whose Deployment appears later is adopted with the first command about it', { timeout: 60_000 }, async () => {
  const { scene, cp } = place;
  const id = 'late-firefox-33cc44dd';
  await startAsReference(scene.cp.api, scene.namespace, { ...order(id), persistentHome: false });
  cp.database.addSession({ id, user: 'late', template: 'firefox', agentID: AGENT, state: 'running' });
  await eventually(() => place.pods(id)).toHaveLength(1);
  expect((await cp.ended(cp.users.hibernate(id).command, 30_000)).status).toBe('completed');
  await cp.state(id, 'hibernated', 10_000);
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(cp.violations).toEqual([]);
});
