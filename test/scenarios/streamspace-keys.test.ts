import { beforeAll, expect, test } from 'vitest';
import { condition } from './objects.ts';
import { AGENT, admit, useStreamSpace } from './streamspace-scene.ts';

const place = useStreamSpace('streamspace-keys');
const issued = useStreamSpace('streamspace-issued');
const SECRET = 'streamspace-agent';

/** Restarts the control plane, so that the agent has to show its key. */
async function restart(): Promise<void> {
  await place.cp.crash();
  await place.cp.restart();
}

function refusal(reason: string) {
  return place.scene.backends.until('streamspace', (object) => condition(object, 'Connected').reason === reason, 60_000);
}

let own: string;

beforeAll(async () => {
  const { scene, cp, variables } = place;
  own = cp.administrator.add(AGENT);
  const operator = await scene.operator({ ...variables, AGENT_API_KEY: own });
  await operator.ready();
  await cp.connected(AGENT);
});

test('a rotated key ends nothing that is open; after it the Secret brings the new one without a restart', { timeout: 180_000 }, async () => {
  const { scene, cp } = place;
  const rotated = cp.administrator.rotateKey(AGENT);
  const { command, id } = place.order();
  expect((await cp.ended(command, 30_000)).status).toBe('completed');
  await restart();
  await cp.waitFor(() => cp.heard.requests.at(-1)?.answer === 403, 'the old key to be refused', 15_000);
  await scene.backends.until('streamspace', (object) => condition(object, 'Authenticated').reason === 'Unauthorized');
  await scene.secret(SECRET, rotated);
  await cp.connected(AGENT, 15_000);
  await scene.backends.until('streamspace', (object) => condition(object, 'Ready').status === 'True');
  cp.users.delete(id);
  await cp.state(id, 'terminated', 30_000);
  expect(cp.violations).toEqual([]);
});

test('an agent that was removed there says so, and is back when it is known again', { timeout: 180_000 }, async () => {
  const { scene, cp } = place;
  cp.administrator.remove(AGENT);
  await restart();
  await refusal('NotRegistered');
  // The bootstrap key lets it register anew.
  await scene.secret(SECRET, cp.bootstrapKey);
  await admit(cp);
  expect(cp.violations).toEqual([]);
});

test('a shutdown closes the connection for good and is shown, until the object changes', { timeout: 60_000 }, async () => {
  const { scene, cp } = place;
  const sockets = cp.heard.sockets.length;
  cp.hub.get(AGENT)?.send({ type: 'shutdown', payload: { reason: 'maintenance' } });
  await refusal('ShutdownRequested');
  await cp.disconnected(AGENT);
  expect(cp.heard.sockets.at(-1)?.closeCode).toBe(1001);
  expect(cp.heard.sockets).toHaveLength(sockets);
  await scene.backends.patch('streamspace', { region: 'eu-west-1' });
  await cp.connected(AGENT, 15_000);
  expect(cp.violations).toEqual([]);
});

test('a key that an older server issues is kept in the Secret, and outlives the bootstrap key', { timeout: 120_000 }, async () => {
  const { scene, cp, variables } = issued;
  cp.administrator.add(AGENT);
  cp.registration.tellsKeys = true;
  const first = await scene.operator(variables);
  await first.ready();
  await cp.connected(AGENT);
  const key = cp.database.agents.get(AGENT)?.key ?? '';
  const read = () => scene.cp.api.get<{ data: { 'api-key': string } }>(`/api/v1/namespaces/${scene.namespace}/secrets/${SECRET}`);
  await expect.poll(async () => Buffer.from((await read()).data['api-key'], 'base64').toString(), { timeout: 15_000 }).toBe(key);
  expect(first.output()).not.toContain(key);
  expect(await first.stop()).toBe(0);
  // Not the bootstrap key any more, and it is known.
  const second = await scene.operator({ ...variables, AGENT_API_KEY: 'f'.repeat(64) });
  await second.ready();
  await cp.connected(AGENT, 15_000);
  expect(cp.violations).toEqual([]);
});
