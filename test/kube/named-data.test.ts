import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { Bus } from '../../operator/kube/bus.ts';
import { dataTopic, NamedDataWatch } from '../../operator/kube/named-data.ts';
import { CONFIG_MAPS, SECRETS } from '../../operator/kube/resources.ts';
import { Watches } from '../../operator/kube/watches.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { clientOf } from './clients.ts';

const { signal } = new AbortController();
let namespace: string;

beforeAll(async () => {
  namespace = (await tenant('named-data')).namespace;
});

const base64 = (text: string) => Buffer.from(text).toString('base64');
const secrets = () => `/api/v1/namespaces/${namespace}/secrets`;

function start(kubeconfig = controlPlane.kubeconfig) {
  const watches = new Watches(clientOf({ ...controlPlane, kubeconfig }), 100, () => {});
  onTestFinished(() => watches.close());
  const bus = new Bus();
  return { bus, watches, named: new NamedDataWatch(watches, namespace, bus) };
}

test('a Secret is decoded, a ConfigMap taken as it is, and what is not there is undefined', async () => {
  await controlPlane.api.create(secrets(), { metadata: { name: 'key' }, data: { apiKey: base64('sk-1\n'), empty: '' } });
  await controlPlane.api.create(`/api/v1/namespaces/${namespace}/configmaps`, { metadata: { name: 'conf' }, data: { URL: 'x' } });
  await controlPlane.api.create(secrets(), { metadata: { name: 'bare' } });
  const { named } = start();
  expect(await named.secret('key', signal)).toEqual({ apiKey: 'sk-1', empty: '' });
  expect(await named.secret('bare', signal)).toEqual({});
  expect(await named.configMap('conf', signal)).toEqual({ URL: 'x' });
  expect(await named.secret('absent', signal)).toBeUndefined();
  expect(await named.configMap('key', signal)).toBeUndefined();
});

test('a Secret that comes, is rotated and goes is told each time', async () => {
  const { bus, named } = start();
  const told = vi.fn();
  bus.subscribe([dataTopic(SECRETS, 'rotated')], told);
  expect(await named.secret('rotated', signal)).toBeUndefined();
  await controlPlane.api.create(secrets(), { metadata: { name: 'rotated' }, data: { apiKey: base64('one') } });
  await waitFor(() => told.mock.calls.length === 1);
  expect(await named.secret('rotated', signal)).toEqual({ apiKey: 'one' });
  await controlPlane.api.patch(`${secrets()}/rotated`, { data: { apiKey: base64('two') } });
  await waitFor(() => told.mock.calls.length === 2);
  expect(await named.secret('rotated', signal)).toEqual({ apiKey: 'two' });
  await controlPlane.api.remove(`${secrets()}/rotated`);
  await waitFor(() => told.mock.calls.length === 3);
  expect(await named.secret('rotated', signal)).toBeUndefined();
});

test('a ConfigMap and a Secret of one name are two things', async () => {
  const { bus, named } = start();
  const told = vi.fn();
  bus.subscribe([dataTopic(CONFIG_MAPS, 'twin')], told);
  await Promise.all([named.secret('twin', signal), named.configMap('twin', signal)]);
  await controlPlane.api.create(secrets(), { metadata: { name: 'twin' } });
  await waitFor(() => named.secret('twin', signal));
  expect(told).not.toHaveBeenCalled();
});

/** The requests of one service account for Secrets. */
async function secretRequests(user: string): Promise<URL[]> {
  const events = await controlPlane.auditEvents();
  const asked = events.filter((event) => event.user.username === user && event.objectRef?.resource === 'secrets');
  return asked.map((event) => new URL(event.requestURI, controlPlane.url));
}

test('no other Secret is ever asked for: a right to the named one is enough, and the audit log proves it', async () => {
  await controlPlane.api.create(secrets(), { metadata: { name: 'mine' }, data: { apiKey: base64('sk') } });
  await controlPlane.api.create(secrets(), { metadata: { name: 'theirs' }, data: { apiKey: base64('no') } });
  await controlPlane.api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'reader' } });
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await controlPlane.api.create(`${rbac}/roles`, {
    metadata: { name: 'reader' },
    rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: ['mine'], verbs: ['list', 'watch'] }],
  });
  await controlPlane.api.create(`${rbac}/rolebindings`, {
    metadata: { name: 'reader' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'reader' },
    subjects: [{ kind: 'ServiceAccount', name: 'reader', namespace }],
  });
  const { named, watches } = start(await controlPlane.serviceAccountKubeconfig(namespace, 'reader'));
  await Promise.all(Array.from({ length: 5 }, () => named.secret('mine', signal)));
  expect(await named.secret('mine', signal)).toEqual({ apiKey: 'sk' });
  await controlPlane.api.patch(`${secrets()}/mine`, { data: { apiKey: base64('new') } });
  await waitFor(async () => (await named.secret('mine', signal))?.apiKey === 'new');
  // A Secret without a right to it is waited for no longer than the caller wants.
  await expect(named.secret('theirs', AbortSignal.timeout(500))).rejects.toThrow(/timeout/);
  expect(watches.broken).toEqual([expect.stringMatching(/^secrets \(.*forbidden/)]);
  const requests = await secretRequests(`system:serviceaccount:${namespace}:reader`);
  const selectors = requests.map((url) => url.searchParams.get('fieldSelector'));
  expect(new Set(selectors)).toEqual(new Set(['metadata.name=mine', 'metadata.name=theirs']));
  expect(requests.every((url) => url.pathname === secrets())).toBe(true);
  // Asked five times at once, watched once.
  const watched = requests.filter((url) => url.search.includes('mine'));
  expect(new Set(watched.map(String)).size).toBe(1);
});

test('who has stopped waiting does not wait', async () => {
  const { named } = start();
  const reason = new Error('stop');
  await expect(named.secret('any', AbortSignal.abort(reason))).rejects.toBe(reason);
});
