import { OPTIMIZATION_BACKENDS } from '../../operator/api/optimization-backend.ts';
import { apiVersion, collectionPath, SECRETS } from '../../operator/kube/resources.ts';
import { startStreamSpace } from '../backends/streamspace/server.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { NAMESPACE } from './install.ts';
import type { Rig } from './rig.ts';

const AGENT = 'k8s-rights';
const SECRET = 'streamspace-agent';

/** A control plane that issues a key, which the operator keeps in the one Secret that it may change. */
export async function driveIssuedKey({ cp }: Rig): Promise<void> {
  const upstream = await startStreamSpace();
  try {
    upstream.administrator.add(AGENT);
    upstream.registration.tellsKeys = true;
    const secrets = collectionPath(SECRETS, NAMESPACE);
    await cp.api.create(secrets, { metadata: { name: SECRET }, stringData: { 'api-key': upstream.bootstrapKey } });
    const backends = collectionPath(OPTIMIZATION_BACKENDS, NAMESPACE);
    const spec = { protocol: 'StreamSpace', url: upstream.url, agentID: AGENT, credentialsSecretRef: { name: SECRET } };
    const { kind } = OPTIMIZATION_BACKENDS;
    await cp.api.create(backends, { apiVersion: apiVersion(OPTIMIZATION_BACKENDS), kind, metadata: { name: 'streamspace' }, spec });
    await upstream.connected(AGENT);
    const kept = async () => (await cp.api.get<{ data: { 'api-key': string } }>(`${secrets}/${SECRET}`)).data['api-key'];
    const issued = () => Buffer.from(upstream.database.agents.get(AGENT)?.key ?? '').toString('base64');
    await waitFor(async () => (await kept()) === issued(), { what: 'the issued key is in the Secret' });
    await cp.api.remove(`${backends}/streamspace`);
    await waitFor(async () => (await cp.api.call('GET', `${backends}/streamspace`)).status === 404, { what: 'the backend is gone' });
  } finally {
    await upstream.close();
  }
}
