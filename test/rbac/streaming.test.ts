import { expect, test } from 'vitest';
import { actions } from '../../operator/actions/index.ts';
import { rulesIn } from '../../operator/codegen/rights.ts';
import { loopRights } from '../../operator/kube/rights.ts';
import { isOfAction, refusals, requestsOfOperator, rightsNeeded } from './audit.ts';
import { drives } from './drives.ts';
import { startRig } from './rig.ts';
import { compareRights, nameOf, rightsIn } from './right.ts';

test('with the streaming list the same rights are enough, and no watch needs its right to list', async () => {
  await using rig = await startRig([]);
  await rig.operator.ready();
  await drives.Cordon?.(rig);
  await rig.backend.waitFor(() => rig.backend.heard.metrics.at(-1), 'a snapshot');
  await rig.operator.stop();

  const requests = await requestsOfOperator(rig.cp);
  expect(refusals(requests)).toEqual([]);
  const needed = requests.flatMap(rightsNeeded);
  const granted = [
    ...rightsIn('cluster', rulesIn('cluster', actions, loopRights)),
    ...rightsIn('namespace', rulesIn('namespace', actions, loopRights)),
    ...rightsIn('namespace', rulesIn('sessions', actions, loopRights)),
  ];
  expect(compareRights(needed, granted).undeclared).toEqual([]);
  const lists = requests.filter((request) => request.verb === 'list' && !isOfAction(request)).flatMap(rightsNeeded);
  // What no watch can tell, and the last look before acting.
  expect(new Set(lists.map(nameOf))).toEqual(
    new Set([
      'list nodes.metrics.k8s.io (cluster)',
      'list optimizationactions.cloudoptim.io (namespace)',
      'list optimizationbackends.cloudoptim.io (namespace)',
      'list sessions.cloudoptim.io (namespace)',
      'list sessiontemplates.cloudoptim.io (namespace)',
      'list deployments.apps (namespace)',
      'list services (namespace)',
      'list persistentvolumeclaims (namespace)',
    ]),
  );
});
