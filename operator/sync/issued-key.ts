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
    const labels = { 'app.kubernetes.io/managed-by': 'cloudoptim-operator' };
    const body: JsonObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace, labels }, data };
    await client.create(SECRETS, namespace, body, signal);
  }
}
