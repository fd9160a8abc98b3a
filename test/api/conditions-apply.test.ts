import { expect, test } from 'vitest';
import { type Condition, setCondition } from '../../operator/api/condition.ts';
import { summarize } from '../../operator/api/summary.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { collection, object } from './admission.ts';

const { namespace } = await tenant('conditions');
const path = `${collection(namespace, 'optimizationactions')}/shared`;
const spec = { action: 'Cordon', cordon: { nodeName: 'worker-3' } };
const context = { now: new Date('2026-01-01T00:00:00Z'), generation: 1 };

interface Answer {
  readonly status: { readonly conditions: readonly Condition[] };
  readonly metadata: { readonly managedFields: readonly { readonly manager: string }[] };
}

async function apply(manager: string, conditions: readonly Condition[]): Promise<Answer> {
  const body = { ...object('optimizationactions', 'shared', spec), spec: undefined, status: { conditions } };
  const { status, body: answer } = await controlPlane.api.call<Answer>('PATCH', `${path}/status?fieldManager=${manager}`, body, {
    type: 'application/apply-patch+yaml',
  });
  expect(status, JSON.stringify(answer)).toBe(200);
  return answer;
}

test('two field managers apply their own conditions without a conflict, and take them away again', async () => {
  await controlPlane.api.create(collection(namespace, 'optimizationactions'), object('optimizationactions', 'shared', spec));
  const working = summarize([], { state: 'Working', reason: 'InProgress', message: '' }, context);
  const reported = setCondition([], { type: 'Reported', status: 'False', reason: 'Refused', message: '' }, context);
  await apply('cloudoptim-operator', working);
  const both = await apply('cloudoptim-report', reported);
  expect(both.status.conditions).toEqual([...working, ...reported]);

  const done = summarize(working, { state: 'Done', reason: 'Done', message: '' }, context);
  const after = await apply('cloudoptim-operator', done);
  expect(after.status.conditions.map((each) => each.type).toSorted()).toEqual(['Ready', 'Reported']);
  expect(after.metadata.managedFields.map((each) => each.manager)).toEqual(
    expect.arrayContaining(['cloudoptim-operator', 'cloudoptim-report']),
  );
});

test('the same type twice is refused', async () => {
  const ready = setCondition([], { type: 'Ready', status: 'True', reason: 'Done', message: '' }, context);
  const { status, body } = await controlPlane.api.call<{ message: string }>('PATCH', `${path}/status`, {
    status: { conditions: [...ready, ...ready] },
  });
  expect(status).toBe(422);
  expect(body.message).toContain('Duplicate value');
});
