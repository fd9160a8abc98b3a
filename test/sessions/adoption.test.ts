import { expect, test } from 'vitest';
import type { KubeObject } from '../../operator/kube/object.ts';
import { adopt, originOf } from '../../operator/sessions/adoption.ts';
import { type ReferenceOrder, startAsReference } from '../backends/streamspace/reference-agent.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';

const { namespace } = await tenant('adoption');

/** The least of a Deployment that is read into a Session. */
const plain: KubeObject = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'a', namespace: 'ns', uid: 'u', resourceVersion: '1', labels: { app: 'streamspace-session', session: 'a' } },
  spec: { selector: { matchLabels: { session: 'a' } }, template: { spec: { containers: [{ image: 'x' }] } } },
};

function labelled(labels: Record<string, string>) {
  return changed({ labels: { ...plain.metadata.labels, ...labels } });
}

function changed(metadata: Partial<KubeObject['metadata']>) {
  return (deployment: KubeObject): KubeObject => ({ ...deployment, metadata: { ...deployment.metadata, ...metadata } });
}

/** What the reference agent makes for this order, as the API server has it. */
async function made(order: Omit<ReferenceOrder, 'user' | 'template'> & Partial<ReferenceOrder>): Promise<KubeObject> {
  await startAsReference(controlPlane.api, namespace, { user: 'ada', template: 'firefox', ...order });
  return controlPlane.api.get<KubeObject>(`/apis/apps/v1/namespaces/${namespace}/deployments/${order.sessionId}`);
}

async function specOf(deployment: KubeObject): Promise<Record<string, unknown>> {
  const adoption = adopt(deployment, undefined, 'prod');
  if ('flaw' in adoption) return expect.unreachable(adoption.flaw);
  // The API server has the last word on what a Session is.
  const path = `/apis/cloudoptim.io/v1alpha1/namespaces/${namespace}/sessions`;
  return (await controlPlane.api.create<{ spec: Record<string, unknown> }>(path, adoption.session)).spec;
}

test('a session of the reference agent is read into a Session that says the same', async () => {
  const deployment = await made({
    sessionId: 'ada-firefox-1',
    cpu: '500m',
    memory: '1Gi',
    persistentHome: true,
    ports: [
      { name: 'vnc', containerPort: 6901 },
      { name: 'web', containerPort: 8080 },
    ],
    env: [{ name: 'LANG', value: 'de' }],
  });
  expect(originOf(deployment)).toBe('reference');
  expect(await specOf(deployment)).toEqual({
    state: 'Running',
    user: 'ada',
    templateName: 'firefox',
    template: {
      image: 'linuxserver/firefox:latest',
      ports: [
        { name: 'vnc', containerPort: 6901, protocol: 'TCP' },
        { name: 'web', containerPort: 8080, protocol: 'TCP' },
      ],
      vnc: { port: 6901 },
      env: [
        { name: 'LANG', value: 'de' },
        { name: 'PGID', value: '1000' },
        { name: 'PUID', value: '1000' },
        { name: 'TZ', value: 'UTC' },
      ],
      volumeMounts: [{ name: 'user-home', mountPath: '/config' }],
    },
    resources: { cpu: '500m', memory: '1Gi' },
    home: { enabled: true },
    backendRef: { name: 'prod' },
  });
});

test('one that is scaled to zero is hibernated, and one without a claim has no home', async () => {
  const deployment = await made({ sessionId: 'ada-firefox-2' });
  const asleep = { ...deployment, spec: { ...deployment.spec, replicas: 0 } };
  const spec = await specOf(asleep);
  expect(spec).toMatchObject({ state: 'Hibernated' });
  expect(spec).not.toHaveProperty('home');
});

test.each<[string, (deployment: KubeObject) => KubeObject, 'ours' | undefined]>([
  ['that is ours', labelled({ 'app.kubernetes.io/managed-by': 'cloudoptim-operator' }), 'ours'],
  ['that Helm keeps', labelled({ 'app.kubernetes.io/managed-by': 'Helm' }), undefined],
  ['of another session', labelled({ session: 'another' }), undefined],
  ['of another app', labelled({ app: 'shop' }), undefined],
  ['that somebody owns', changed({ ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'b' }] }), undefined],
  ['that is going', changed({ deletionTimestamp: '2026-11-21T12:00:00Z' }), undefined],
])('a Deployment %s is not taken for one of the reference agent', (_, change, origin) => {
  expect(originOf(change(plain))).toBe(origin);
});

test.each<[string, object, RegExp]>([
  ['another selector', { selector: { matchLabels: { app: 'x' } } }, /its selector is not session=a/],
  ['no container', { template: { spec: { containers: [] } } }, /it has 0 containers/],
  ['two containers', { template: { spec: { containers: [{ image: 'a' }, { image: 'b' }] } } }, /it has 2 containers/],
  ['no image', { template: { spec: { containers: [{}] } } }, /image/],
])('a Deployment with %s cannot be a session, and why is told', (_, change, flaw) => {
  expect(adopt({ ...plain, spec: { ...plain.spec, ...change } } as KubeObject, undefined, 'prod')).toEqual({
    flaw: expect.stringMatching(flaw),
  });
});
