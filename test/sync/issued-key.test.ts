import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { keepIssuedKey } from '../../operator/sync/issued-key.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { clientOf, clientOfConfig } from '../kube/clients.ts';
import { grantRights } from '../scenarios/rights.ts';

const { namespace } = await tenant('issued-key');
const path = `/api/v1/namespaces/${namespace}/secrets`;
const { signal } = new AbortController();

async function keyIn(name: string): Promise<Record<string, string>> {
  const { data } = await controlPlane.api.get<{ data: Record<string, string> }>(`${path}/${name}`);
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString()]));
}

test('an issued key replaces the one in the Secret, whose other keys stay, and makes one where there is none', async () => {
  const client = clientOf(controlPlane);
  await controlPlane.api.create(path, { metadata: { name: 'there' }, stringData: { 'api-key': 'old', other: 'kept' } });
  await keepIssuedKey(client, { namespace, name: 'there' }, 'new', signal);
  expect(await keyIn('there')).toEqual({ 'api-key': 'new', other: 'kept' });
  await keepIssuedKey(client, { namespace, name: 'made' }, 'new', signal);
  expect(await keyIn('made')).toEqual({ 'api-key': 'new' });
  await expect(keepIssuedKey(client, { namespace, name: undefined }, 'new', signal)).rejects.toThrow('spec.credentialsSecretRef names no');
});

test('with the rights of the operator it is the Secret of the environment, and who lacks it is told how to make it', async () => {
  const { kubeconfig, remove } = await grantRights(controlPlane, namespace);
  const client = clientOfConfig(readFileSync(kubeconfig, 'utf8'));
  const keep = () => keepIssuedKey(client, { namespace, name: 'streamspace-agent' }, 'new', signal);
  await expect(keep()).rejects.toThrow(`kubectl create secret generic streamspace-agent -n ${namespace}`);
  await controlPlane.api.create(path, { metadata: { name: 'streamspace-agent' } });
  await keep();
  expect(await keyIn('streamspace-agent')).toEqual({ 'api-key': 'new' });
  await remove();
});
