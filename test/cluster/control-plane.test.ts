import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { startFaultProxy } from './fault-proxy.ts';
import { createNodes, deleteNodes, getNode } from './nodes.ts';
import { processesOf } from './processes-of.ts';
import { waitFor } from './wait-for.ts';
import { createDeployment, createNamespace, deleteNamespace, listPods, podsOnNode } from './workloads.ts';

const BOOT_MS = 90_000;
let cp: ControlPlane;

beforeAll(async () => {
  cp = await startControlPlane({ audit: true });
  await createNodes(cp, ['one', 'two'], { labels: { pool: 'blue' }, cpu: '4' });
  await createNamespace(cp, 'work');
}, BOOT_MS);
afterAll(() => cp?.close());

function evict(namespace: string, name: string) {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name } };
  return cp.api.call<{ details?: { causes?: { reason: string }[] } }>(
    'POST',
    `/api/v1/namespaces/${namespace}/pods/${name}/eviction`,
    eviction,
  );
}

describe('a control plane', () => {
  test('is of the version asked for, and kubectl sees its nodes ready', async () => {
    const version = await cp.kubectl(['version', '--output=json']);
    const { clientVersion, serverVersion } = JSON.parse(version.stdout);
    expect(serverVersion.gitVersion).toMatch(/^v1\.\d+\.\d+$/);
    expect(clientVersion.gitVersion).toBe(serverVersion.gitVersion);
    const { code, stdout } = await cp.kubectl(['get', 'nodes', '--no-headers', '--selector=pool=blue']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^one +Ready .*\ntwo +Ready .*\n$/);
    expect((await getNode(cp, 'one')).spec.taints).toBeUndefined();
  });

  test('runs pods, counts them in budgets and holds evictions to them', async () => {
    const pods = await createDeployment(cp, {
      namespace: 'work',
      name: 'web',
      replicas: 4,
      nodeSelector: { pool: 'blue' },
      budget: { maxUnavailable: 0 },
    });
    expect(new Set(pods.map((pod) => pod.spec.nodeName))).toEqual(new Set(['one', 'two']));
    expect(await podsOnNode(cp, 'one')).toHaveLength(pods.filter((pod) => pod.spec.nodeName === 'one').length);
    const names = pods.map((pod) => pod.metadata.name);
    const answers = await Promise.all(names.map((name) => evict('work', name)));
    expect(answers.map(({ status }) => status)).toEqual([429, 429, 429, 429]);
    expect(answers[0]?.body.details?.causes?.[0]?.reason).toBe('DisruptionBudget');
    await cp.api.patch('/apis/policy/v1/namespaces/work/poddisruptionbudgets/web', { spec: { maxUnavailable: 1 } });
    await waitFor(async () => (await evict('work', names[0] ?? '')).status === 201, { what: 'the changed budget lets one go' });
  });

  test('lets pods that say so terminate slowly, and finishes jobs', async () => {
    const [pod] = await createDeployment(cp, { namespace: 'work', name: 'slow', nodeSelector: { pool: 'blue' }, terminatesAfter: '1s' });
    expect((await evict('work', pod?.metadata.name ?? '')).status).toBe(201);
    const seen = async () => (await listPods(cp, 'work', 'app=slow')).find(({ metadata }) => metadata.uid === pod?.metadata.uid);
    expect((await seen())?.metadata.deletionTimestamp).toBeDefined();
    await waitFor(async () => (await seen()) === undefined);
    await cp.kubectl(['create', 'job', 'once', '--namespace=work', '--image=example.invalid/none']);
    await waitFor(async () => (await listPods(cp, 'work', 'job-name=once'))[0]?.status.phase === 'Succeeded', { what: 'the job is done' });
  });

  test('gives service accounts their own rights and no more, and writes down who called what', async () => {
    await cp.kubectl(['create', 'serviceaccount', 'bot', '--namespace=work']);
    const kubeconfig = await cp.serviceAccountKubeconfig('work', 'bot');
    const listed = await cp.kubectl(['get', 'pods'], { kubeconfig });
    expect(listed).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot list resource "pods"') });
    const events = await cp.auditEvents();
    expect(events.some(({ stage }) => stage === 'RequestReceived')).toBe(false);
    const calls = events.filter(({ user }) => user.username === 'system:serviceaccount:work:bot');
    expect(calls.at(-1)).toMatchObject({ verb: 'list', objectRef: { resource: 'pods', namespace: 'work' }, responseStatus: { code: 403 } });
    await expect(cp.serviceAccountKubeconfig('work', 'nobody')).rejects.toThrow('"nobody" not found');
  });

  test('takes input for kubectl, and is reached through a proxy and by the name localhost', async () => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'given', namespace: 'work' } });
    expect((await cp.kubectl(['apply', '--filename=-'], { input })).stdout).toContain('configmap/given created');
    await cp.kubectl(['create', 'serviceaccount', 'far', '--namespace=work']);
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: cp.port });
    for (const server of [proxy.url, proxy.url.replace('127.0.0.1', 'localhost')]) {
      const kubeconfig = await cp.serviceAccountKubeconfig('work', 'far', { server });
      expect((await cp.kubectl(['auth', 'whoami'], { kubeconfig })).stdout).toContain('system:serviceaccount:work:far');
    }
    await proxy.close();
  });

  test('deletes namespaces with their pods, and nodes', async () => {
    await createNodes(cp, ['three'], { labels: { pool: 'red' } });
    await createNamespace(cp, 'short');
    await createDeployment(cp, { namespace: 'short', name: 'web', replicas: 3, nodeSelector: { pool: 'red' } });
    await deleteNamespace(cp, 'short');
    expect(await podsOnNode(cp, 'three')).toEqual([]);
    await deleteNodes(cp, ['three', 'never-there']);
    await expect(getNode(cp, 'three')).rejects.toThrow('GET /api/v1/nodes/three: 404');
  });
});

describe('its API server', () => {
  test(
    'refuses while it is stopped and has all data when it is started again',
    async () => {
      const before = await cp.api.get<{ metadata: { uid: string } }>('/api/v1/namespaces/work');
      await cp.stopApiServer();
      await expect(cp.api.call('GET', '/readyz')).rejects.toThrow('ECONNREFUSED');
      await cp.startApiServer();
      const after = await cp.api.get<{ metadata: { uid: string } }>('/api/v1/namespaces/work');
      expect(after.metadata.uid).toBe(before.metadata.uid);
      await expect(cp.startApiServer()).rejects.toThrow('the API server is running');
      // The controllers and kwok find it again by themselves.
      await createNodes(cp, ['after-restart']);
    },
    BOOT_MS,
  );

  test('is silent while it is paused and answers when it is resumed', async () => {
    await cp.pauseApiServer();
    await expect(cp.api.call('GET', '/readyz', undefined, { signal: AbortSignal.timeout(200) })).rejects.toThrow('aborted');
    await cp.resumeApiServer();
    expect((await cp.api.call('GET', '/readyz')).status).toBe(200);
  });
});

describe('the end', () => {
  test(
    'of one of two: it leaves nothing, the other goes on',
    async () => {
      const other = await startControlPlane();
      expect(await processesOf(other.dir)).toHaveLength(6);
      await expect(other.auditEvents()).rejects.toThrow('without `audit: true`');
      await other.pauseApiServer();
      await other.close();
      await other.close();
      expect(await processesOf(other.dir)).toEqual([]);
      expect(existsSync(other.dir)).toBe(false);
      expect((await cp.api.call('GET', '/readyz')).status).toBe(200);
    },
    BOOT_MS,
  );

  test(
    'of a failed start: the error shows the end of the log of what failed',
    async () => {
      await expect(startControlPlane({ apiServerFlags: ['--no-such-flag'] })).rejects.toThrow(
        /kube-apiserver ended with code 1. The end of its log:\n[\s\S]*unknown flag: --no-such-flag/,
      );
    },
    BOOT_MS,
  );
});
