import type { KubeClient } from '../kube/client.ts';
import { isStatus } from '../kube/error.ts';
import { SECRETS } from '../kube/resources.ts';
import type { JsonObject } from '../lib/json.ts';

/** Writes a key that a backend has issued into its credentials Secret, which is made where there is none; the other keys of the Secret stay. */
export async function keepIssuedKey(
  client: KubeClient,
  secret: { readonly namespace: string; readonly name: string | undefined },
  key: string,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, name } = secret;
  if (name === undefined)
    throw new Error('the backend has issued a key, but spec.credentialsSecretRef names no Secret to keep it in: name one');
  const data = { 'api-key': Buffer.from(key).toString('base64') };
  try {
    await client.patch({ resource: SECRETS, namespace, name }, 'merge', { data }, signal);
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
    await make(client, namespace, name, data, signal);
  }
}

async function make(client: KubeClient, namespace: string, name: string, data: JsonObject, signal: AbortSignal): Promise<void> {
  const labels = { 'app.kubernetes.io/managed-by': 'cloudoptim-operator' };
  try {
    await client.create(SECRETS, namespace, { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace, labels }, data }, signal);
  } catch (error) {
    // Who may make Secrets can have tokens of every ServiceAccount made: not a right of the Role.
    if (!isStatus(error, 403)) throw error;
    throw new Error(`the issued key cannot be kept, there is no Secret: kubectl create secret generic ${name} -n ${namespace}`, {
      cause: error,
    });
  }
}
