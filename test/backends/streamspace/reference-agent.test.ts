import { expect, test } from 'vitest';
import { controlPlane, tenant } from '../../cluster/shared.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { listPods } from '../../cluster/workloads.ts';
import { hibernateAsReference, startAsReference, stopAsReference } from './reference-agent.ts';

test('what the reference agent leaves has its names, its labels and no owner', async () => {
  const { namespace, createNodes, nodeSelector } = await tenant('reference');
  await createNodes(1);
  const { api } = controlPlane;
  const sessionId = 'admin-firefox-0c757c2e';
  const env = [
    { name: 'TZ', value: 'Europe/Berlin' },
    { name: 'LANG', value: 'de' },
  ];
  await startAsReference(api, namespace, { sessionId, user: 'admin', template: 'firefox', env, podSpec: { nodeSelector } });
  await startAsReference(api, namespace, { sessionId: 'with-home', user: 'admin', template: 'firefox', persistentHome: true });
  const labels = { app: 'streamspace-session', session: sessionId, user: 'admin', template: 'firefox' };
  const deployment = await api.get<{ metadata: object; spec: { template: { spec: { containers: { env: object[] }[] } } } }>(
    `/apis/apps/v1/namespaces/${namespace}/deployments/${sessionId}`,
  );
  expect(deployment.metadata).toMatchObject({ labels });
  expect(deployment.metadata).not.toHaveProperty('ownerReferences');
  expect(deployment.spec.template.spec.containers[0]?.env).toEqual([
    { name: 'LANG', value: 'de' },
    { name: 'USER', value: 'admin' },
    { name: 'SESSION_ID', value: sessionId },
    { name: 'PUID', value: '1000' },
    { name: 'PGID', value: '1000' },
    { name: 'TZ', value: 'UTC' },
  ]);
  const pods = () => listPods(controlPlane, namespace, `session=${sessionId}`);
  await waitFor(async () => (await pods()).some(({ status }) => status.phase === 'Running'), { what: 'the pod runs' });
  expect((await pods())[0]?.metadata.labels).toMatchObject(labels);
  await hibernateAsReference(api, namespace, sessionId);
  await waitFor(async () => (await pods()).length === 0, { what: 'the pod is gone' });
  await stopAsReference(api, namespace, 'with-home');
  expect((await api.call('GET', `/api/v1/namespaces/${namespace}/services/with-home`)).status).toBe(404);
  expect(await api.get(`/api/v1/namespaces/${namespace}/persistentvolumeclaims/with-home-home`)).toMatchObject({
    metadata: { labels: { session: 'with-home' } },
    spec: { storageClassName: 'standard', accessModes: ['ReadWriteOnce'] },
  });
});
