import { expect, test } from 'vitest';
import type { OptimizationAction } from '../../operator/api/optimization-action.ts';
import { ApiError, ApiUnreachable } from '../../operator/kube/error.ts';
import { troubleStatus } from '../../operator/reconcilers/action-status.ts';
import { troubleOf } from '../../operator/reconcilers/trouble.ts';

function answer(status: number, message = 'no'): ApiError {
  return new ApiError({ status, reason: '', message });
}

test.each<[Error, string]>([
  [new ApiUnreachable('GET /api: refused'), 'ServerError'],
  [answer(500), 'ServerError'],
  [answer(504), 'ServerError'],
  [answer(500, 'Internal error occurred: failed calling webhook "a.b.c": context deadline exceeded'), 'WebhookUnavailable'],
  [answer(403, 'admission webhook "a.b.c" denied the request: no'), 'WebhookDenied'],
  [answer(401), 'Unauthorized'],
  [answer(403), 'Forbidden'],
  [answer(409), 'Conflict'],
  [answer(429), 'TooManyRequests'],
  [answer(418), 'Error'],
  [new TypeError('a defect'), 'Error'],
])('%s is said as %s, in its own words', (error, reason) => {
  expect(troubleOf(error)).toEqual({ reason, message: error.message });
});

test('an outcome stays what it was, whatever keeps its object from being put away', () => {
  const metadata = { name: 'a', uid: 'u', resourceVersion: '1' };
  const action: OptimizationAction = {
    apiVersion: 'cloudoptim.io/v1alpha1',
    kind: 'OptimizationAction',
    metadata,
    status: { phase: 'Running' },
  };
  const now = new Date();
  expect(troubleStatus(action, answer(500), now)).toMatchObject({
    phase: 'Running',
    conditions: [{ reason: 'ServerError' }, { type: 'Ready' }],
  });
  const ended = { ...action, status: { phase: 'Succeeded' as const, finishedAt: now.toISOString() } };
  expect(troubleStatus(ended, answer(500), now)).toBeUndefined();
});
