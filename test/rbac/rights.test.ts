import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ActionDefinition } from '../../operator/actions/action.ts';
import { actions } from '../../operator/actions/index.ts';
import { rulesIn } from '../../operator/codegen/rights.ts';
import { loopRights } from '../../operator/kube/rights.ts';
import { isOfAction, type Request, refusals, requestsOfOperator, rightsNeeded } from './audit.ts';
import { driveLoops } from './drive-loops.ts';
import { type Drive, drives } from './drives.ts';
import { type Rig, startRig } from './rig.ts';
import { compareRights, type Difference, isInstalled, placeOf, type Right, rightsIn } from './right.ts';

const NONE: Difference = { undeclared: [], unused: [] };
/** The requests that actions made, taken from all as they were made; what remains is of the loops. */
const ofActions = new Set<string>();
let rig: Rig;

beforeAll(async () => {
  // Without the streaming list: then both verbs of every standing watch are needed.
  rig = await startRig(['--feature-gates=WatchList=false']);
  await rig.operator.ready();
});
afterAll(() => rig?.[Symbol.asyncDispose]());

test('every action has a drive: a new one needs one here', () => {
  expect(Object.keys(drives).toSorted()).toEqual(actions.map(({ name }) => name).toSorted());
});

test.each(actions)(
  '$name needs every right that it declares, and no other',
  async ({ name, rbac, rbacScope = 'cluster' }: ActionDefinition) => {
    const before = await requestsOfOperator(rig.cp);
    await drive(drives[name]);
    const during = (await requestsOfOperator(rig.cp)).slice(before.length).filter(isOfAction);
    for (const { auditID } of during) ofActions.add(auditID);
    expect(compareRights(needed(during), rightsIn(placeOf(rbacScope), rbac))).toEqual(NONE);
  },
);

test('the loops need every right that they declare, and no other', async () => {
  await drive(driveLoops);
  await rig.operator.stop();
  const theirs = (await requestsOfOperator(rig.cp)).filter(({ auditID }) => !ofActions.has(auditID));
  const declared = loopRights.flatMap(({ scope, rules }) => (isInstalled(scope) ? rightsIn(placeOf(scope), rules) : []));
  expect(compareRights(needed(theirs), declared)).toEqual(NONE);
});

test('the roles grant every right that was needed, and no other', async () => {
  const granted = [
    ...rightsIn('cluster', rulesIn('cluster', actions, loopRights)),
    ...rightsIn('namespace', rulesIn('namespace', actions, loopRights)),
    ...rightsIn('namespace', rulesIn('sessions', actions, loopRights)),
  ];
  expect(compareRights(needed(await requestsOfOperator(rig.cp)), granted)).toEqual(NONE);
});

test('no request was refused for want of a right', async () => {
  expect(refusals(await requestsOfOperator(rig.cp))).toEqual([]);
});

/** A right that is missing makes what needs it fail in many ways: the right is named first. */
async function drive(what: Drive | undefined): Promise<void> {
  try {
    await what?.(rig);
  } catch (error) {
    expect(refusals(await requestsOfOperator(rig.cp))).toEqual([]);
    throw error;
  }
}

function needed(requests: readonly Request[]): readonly Right[] {
  return requests.flatMap(rightsNeeded);
}
