import { expect, test } from 'vitest';
import { getNode } from './nodes.ts';
import { controlPlane, tenant } from './shared.ts';
import { listPods } from './workloads.ts';

test('tenants have namespaces, nodes and pods of their own', async () => {
  const [left, right] = await Promise.all([tenant('same'), tenant('same')]);
  expect(left.namespace).toMatch(/^t-same-[0-9a-f]{8}$/);
  expect(left.namespace).not.toBe(right.namespace);
  const nodes = [...(await left.createNodes(1)), ...(await left.createNodes(1, { labels: { zone: 'a' } }))];
  await right.createNodes(1);
  expect(nodes).toEqual([`${left.namespace}-1`, `${left.namespace}-2`]);
  expect((await getNode(controlPlane, `${left.namespace}-2`)).metadata.labels).toMatchObject({ zone: 'a', ...left.nodeSelector });
  const pods = await left.createDeployment({ name: 'web', replicas: 4 });
  expect(new Set(pods.map((pod) => pod.spec.nodeName))).toEqual(new Set(nodes));
  await left.remove();
  await left.remove();
  expect(await listPods(controlPlane, left.namespace)).toEqual([]);
  await expect(getNode(controlPlane, `${left.namespace}-1`)).rejects.toThrow('404');
  await getNode(controlPlane, `${right.namespace}-1`);
});

test('the shared control plane keeps an audit log and cannot be stopped', async () => {
  expect((await controlPlane.auditEvents()).length).toBeGreaterThan(0);
  expect(controlPlane).not.toHaveProperty('stopApiServer');
  expect(controlPlane).not.toHaveProperty('close');
});

test('the kinds of the repository are there', async () => {
  const { readdir } = await import('node:fs/promises');
  const files = await readdir(`${import.meta.dirname}/../../crds`).catch(() => []);
  const { stdout } = await controlPlane.kubectl(['get', 'crds', '--output=name']);
  expect(stdout.split('\n').filter((name) => /\/[^.]+\.cloudoptim\.io$/.test(name))).toHaveLength(
    files.filter((name) => /\.ya?ml$/.test(name)).length,
  );
});
