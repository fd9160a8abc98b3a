import { expect } from 'vitest';
import { waitFor } from '../cluster/wait-for.ts';
import { createDeployment } from '../cluster/workloads.ts';
import { ended, make, planAndRun } from './objects.ts';
import { type Rig, WORK } from './rig.ts';

const APPS = `/apis/apps/v1/namespaces/${WORK}`;

/** Both kinds with all that can be changed, and a rollout that ends at its timeout, whose pods are asked why. */
export async function driveUpdate(rig: Rig): Promise<void> {
  const { cp } = rig;
  await createDeployment(cp, { namespace: WORK, name: 'updated' });
  await createSet(rig, 'updated');
  const isRolledOut = async () => {
    const { status } = await cp.api.get<{ status: { conditions?: { reason?: string }[] } }>(`${APPS}/deployments/updated`);
    return status.conditions?.some(({ reason }) => reason === 'NewReplicaSetAvailable');
  };
  await waitFor(isRolledOut, { what: 'the Deployment updated is rolled out' });
  for (const kind of ['Deployment', 'StatefulSet']) {
    const containers = [{ name: 'main', requests: { cpu: '10m' } }];
    await planAndRun(rig, { action: 'UpdateWorkload', params: { kind, namespace: WORK, name: 'updated', replicas: 2, containers } });
  }
  const containers = [{ name: 'main', requests: { cpu: '1000' } }];
  const params = { kind: 'Deployment', namespace: WORK, name: 'updated', containers, timeoutSeconds: 2 };
  const late = await ended(rig, await make(rig, { action: 'UpdateWorkload', params }), 'Failed');
  expect(late.status?.conditions).toContainEqual(
    expect.objectContaining({ reason: 'Timeout', message: expect.stringContaining('Unschedulable') }),
  );
}

async function createSet({ cp }: Rig, name: string): Promise<void> {
  const labels = { app: `${name}-set` };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'example.invalid/none' }] } };
  await cp.api.create(`${APPS}/statefulsets`, { metadata: { name }, spec: { selector: { matchLabels: labels }, template } });
}
