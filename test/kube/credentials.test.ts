import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { KubeClient } from '../../operator/kube/client.ts';
import { Credentials } from '../../operator/kube/credentials.ts';
import type { JsonObject } from '../../operator/lib/json.ts';
import { kubeconfig } from '../cluster/kubeconfig.ts';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { clientOfConfig } from './clients.ts';

const { signal } = new AbortController();
let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'credentials-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(dir, { recursive: true });
});

/** Whom the API server takes the client for. */
async function whoAmI(client: KubeClient): Promise<string> {
  const review = {
    group: 'authentication.k8s.io',
    version: 'v1',
    plural: 'selfsubjectreviews',
    kind: 'SelfSubjectReview',
    namespaced: false,
  };
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
  const { status } = await client.create(review, undefined, body, signal);
  const { username } = (status?.userInfo ?? {}) as JsonObject;
  return String(username);
}

/** A valid token of the default service account. */
async function token(): Promise<string> {
  const file = await controlPlane.serviceAccountKubeconfig('default', 'default');
  return (JSON.parse(await readFile(file, 'utf8')) as { users: [{ user: { token: string } }] }).users[0].user.token;
}

/** A kubeconfig whose user is made by the text of its `user` member. */
async function configFor(user: object): Promise<string> {
  const ca = await readFile(controlPlane.caFile, 'utf8');
  const config = JSON.parse(kubeconfig(controlPlane.url, ca, 'test', { token: '' })) as { users: { user: object }[] };
  if (config.users[0]) config.users[0].user = user;
  return JSON.stringify(config);
}

/** A kubeconfig with an exec plugin that hands out what is in the file `token`, and counts its runs in the file `runs`. */
async function execConfig(): Promise<string> {
  const script = join(dir, 'plugin.sh');
  const answer = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"%s"}}';
  await writeFile(
    script,
    `#!/bin/sh\nset -e\necho run >> ${dir}/runs\ntest -f ${dir}/token || { echo no token here >&2; exit 1; }\nprintf '${answer}' "$(cat ${dir}/token)"\n`,
    { mode: 0o755 },
  );
  return configFor({ exec: { apiVersion: 'client.authentication.k8s.io/v1', command: script, args: [], interactiveMode: 'Never' } });
}

const SERVICE_ACCOUNT = 'system:serviceaccount:default:default';

test('a client certificate', async () => {
  expect(await whoAmI(clientOfConfig(await readFile(controlPlane.kubeconfig, 'utf8')))).not.toBe('system:anonymous');
});

test('client certificate and key in files', async () => {
  const [crt, key] = ['admin.crt', 'admin.key'].map((name) => join(controlPlane.dir, name));
  expect(await whoAmI(clientOfConfig(await configFor({ 'client-certificate': crt, 'client-key': key })))).not.toBe('system:anonymous');
});

test('a token', async () => {
  expect(await whoAmI(clientOfConfig(await configFor({ token: await token() })))).toBe(SERVICE_ACCOUNT);
});

test('a wrong token is refused as 401', async () => {
  await expect(whoAmI(clientOfConfig(await configFor({ token: 'wrong' })))).rejects.toMatchObject({ status: 401, reason: 'Unauthorized' });
});

test('an exec plugin, run once for calls that come together', async () => {
  await writeFile(join(dir, 'token'), await token());
  const client = clientOfConfig(await execConfig());
  const names = await Promise.all(Array.from({ length: 20 }, () => whoAmI(client)));
  expect(new Set(names)).toEqual(new Set([SERVICE_ACCOUNT]));
  expect(await readFile(join(dir, 'runs'), 'utf8')).toBe('run\n');
});

test('an exec plugin that fails makes the call fail with what it said, and is asked again', async () => {
  const client = clientOfConfig(await execConfig());
  await expect(whoAmI(client)).rejects.toThrow(/no token here/);
  await writeFile(join(dir, 'token'), await token());
  expect(await whoAmI(client)).toBe(SERVICE_ACCOUNT);
});

test('after a 401 the exec plugin is asked for another token', async () => {
  await writeFile(join(dir, 'token'), 'outdated');
  const client = clientOfConfig(await execConfig());
  await expect(whoAmI(client)).rejects.toMatchObject({ status: 401 });
  await writeFile(join(dir, 'token'), await token());
  expect(await waitFor(() => whoAmI(client))).toBe(SERVICE_ACCOUNT);
});

test('a token that stays wrong does not run the plugin for every call', async () => {
  await writeFile(join(dir, 'token'), 'wrong');
  const client = clientOfConfig(await execConfig());
  for (let n = 0; n < 30; n++) await expect(whoAmI(client)).rejects.toMatchObject({ status: 401 });
  expect((await readFile(join(dir, 'runs'), 'utf8')).length / 'run\n'.length).toBeLessThan(10);
});

/** The files of a ServiceAccount below a folder, and the client of a pod that has them. */
async function inCluster(secret: string): Promise<{ client: KubeClient; tokenFile: string }> {
  const folder = join(dir, 'var/run/secrets/kubernetes.io/serviceaccount');
  await mkdir(folder, { recursive: true });
  const tokenFile = join(folder, 'token');
  await writeFile(tokenFile, secret);
  await writeFile(join(folder, 'ca.crt'), await readFile(controlPlane.caFile));
  vi.stubEnv('KUBERNETES_SERVICE_HOST', '127.0.0.1');
  vi.stubEnv('KUBERNETES_SERVICE_PORT', String(controlPlane.port));
  const config = new KubeConfig();
  config.loadFromCluster(dir);
  const client = new KubeClient(new Credentials(config));
  onTestFinished(() => client.close());
  return { client, tokenFile };
}

test('the files of a pod, also where the token ends with a line break', async () => {
  const { client } = await inCluster(`${await token()}\n`);
  expect(await whoAmI(client)).toBe(SERVICE_ACCOUNT);
});

test('a rotated token file is read again after a 401, not a minute later', async () => {
  const { client, tokenFile } = await inCluster('outdated');
  await expect(whoAmI(client)).rejects.toMatchObject({ status: 401 });
  await writeFile(tokenFile, await token());
  expect(await waitFor(() => whoAmI(client), { within: 10_000 })).toBe(SERVICE_ACCOUNT);
});

test('$KUBECONFIG is read', async () => {
  vi.stubEnv('KUBECONFIG', controlPlane.kubeconfig);
  expect(Credentials.load().server).toBe(controlPlane.url);
});

test('~/.kube/config is read where $KUBECONFIG is not set', async () => {
  await mkdir(join(dir, '.kube'));
  await writeFile(join(dir, '.kube/config'), await readFile(controlPlane.kubeconfig));
  vi.stubEnv('KUBECONFIG', '');
  vi.stubEnv('HOME', dir);
  expect(Credentials.load().server).toBe(controlPlane.url);
});

test('where nothing names a cluster the error says what to set', () => {
  vi.stubEnv('KUBECONFIG', '');
  vi.stubEnv('HOME', dir);
  expect(() => Credentials.load()).toThrow(/set KUBECONFIG/);
  const config = new KubeConfig();
  config.loadFromString(JSON.stringify({ clusters: [], users: [], contexts: [] }));
  expect(() => new Credentials(config)).toThrow(/current-context/);
});
