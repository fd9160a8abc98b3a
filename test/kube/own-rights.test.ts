import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { missingRights } from '../../operator/kube/own-rights.ts';
import { loopRights } from '../../operator/kube/rights.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { grantRights } from '../scenarios/rights.ts';
import { clientOf, clientOfConfig } from './clients.ts';

const { namespace } = await tenant('own-rights');
const { signal } = new AbortController();
const rules = (wanted: string) => loopRights.filter(({ scope }) => scope === wanted).flatMap((loop) => loop.rules);

test('the roles of the operator lack nothing for sessions, and tunnels need a role of their own', async () => {
  const { kubeconfig, remove } = await grantRights(controlPlane, namespace);
  const client = clientOfConfig(readFileSync(kubeconfig, 'utf8'));
  await expect.poll(() => missingRights(client, namespace, rules('sessions'), signal)).toEqual([]);
  expect(await missingRights(client, namespace, rules('vnc'), signal)).toEqual(['create pods/portforward', 'get pods/portforward']);
  const { namespace: elsewhere } = await tenant('own-rights-elsewhere');
  expect(await missingRights(client, elsewhere, rules('sessions'), signal)).toContain('create deployments.apps');
  await remove();
});

test('an administrator lacks nothing', async () => {
  expect(await missingRights(clientOf(controlPlane), namespace, [...rules('sessions'), ...rules('vnc')], signal)).toEqual([]);
});
