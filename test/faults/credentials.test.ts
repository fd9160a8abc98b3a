import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import type { Scene } from '../scenarios/scene.ts';
import { SERVICE_ACCOUNT, useFaultyServer } from './rig.ts';

const tokenFile = join(controlPlane.dir, `token-${process.pid}`);

/** A token of the shortest life that the API server gives, which ends sooner when its Secret is deleted. */
async function boundToken(namespace: string, secret: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}`;
  await controlPlane.api.create(`${path}/secrets`, { metadata: { name: secret } });
  const boundObjectRef = { kind: 'Secret', apiVersion: 'v1', name: secret };
  const made = await controlPlane.api.create<{ status: { token: string } }>(`${path}/serviceaccounts/${SERVICE_ACCOUNT}/token`, {
    spec: { expirationSeconds: 600, boundObjectRef },
  });
  return made.status.token;
}

/** The kubeconfig of a ServiceAccount whose token is in a file that others renew, as in a pod. */
async function kubeconfig({ namespace }: Scene): Promise<string> {
  await writeFile(tokenFile, await boundToken(namespace, 'first'), { mode: 0o600 });
  const original = await controlPlane.serviceAccountKubeconfig(namespace, SERVICE_ACCOUNT);
  const config = JSON.parse(await readFile(original, 'utf8')) as { users: { name: string; user: object }[] };
  const file = `${tokenFile}.kubeconfig`;
  // As client-node has the ServiceAccount of a pod.
  const users = config.users.map(({ name }) => ({ name, user: { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } } }));
  await writeFile(file, JSON.stringify({ ...config, users }), { mode: 0o600 });
  return file;
}

const rig = useFaultyServer('credentials', { kubeconfig });

async function statusFor(token: string): Promise<number> {
  const ca = await readFile(controlPlane.caFile);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const headers = { authorization: `Bearer ${token}` };
  request(`${controlPlane.url}/api`, { ca, headers, agent: false }, (response) => {
    response.resume();
    resolve(response.statusCode ?? 0);
  })
    .on('error', reject)
    .end();
  return promise;
}

test('a token that is revoked in the middle of a drain: refused until the file has a new one, then the drain ends', async () => {
  const drain = await rig.heldDrain('revoked');
  const old = await readFile(tokenFile, 'utf8');
  await controlPlane.api.remove(`/api/v1/namespaces/${rig.scene.namespace}/secrets/first`);
  // The API server remembers for some seconds that a token was good.
  await waitFor(async () => (await statusFor(old)) === 401);
  await drain.letGo();
  await waitFor(async () => (await rig.metric('cloudoptim_api_requests_total', { code: '401' })) >= 3);
  await waitFor(() => rig.operator.log.some(({ message }) => message.includes('Unauthorized')));
  expect((await rig.operator.fetch('/healthz')).status).toBe(200);
  await writeFile(tokenFile, await boundToken(rig.scene.namespace, 'second'));
  await drain.finished();
});

test('a token that was replaced while the old one was good', async () => {
  const drain = await rig.heldDrain('replaced', 1);
  await writeFile(tokenFile, await boundToken(rig.scene.namespace, 'third'));
  await controlPlane.api.remove(`/api/v1/namespaces/${rig.scene.namespace}/secrets/second`);
  await drain.letGo();
  await drain.finished();
});
