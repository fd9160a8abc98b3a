import { describe, expect, it } from 'vitest';
import { judgeRefusal } from '../../operator/actions/eviction/verdict.ts';
import { ApiUnreachable } from '../../operator/kube/error.ts';
import { budgetRefusal, refusal } from './fake-cluster.ts';

const terminating = [{ reason: 'NamespaceTerminating', message: 'namespace shop is being terminated' }];

const rows: readonly [row: string, error: Error, verdict: object][] = [
  ['K21 gone', refusal(404, { reason: 'NotFound', message: 'pods "a" not found' }), { kind: 'gone' }],
  [
    'K18 no eviction endpoint is not gone',
    refusal(404, { reason: 'NotFound', message: 'the server could not find the requested resource' }),
    { kind: 'later', cause: 'EvictionRefused', shown: true, words: 'the server could not find the requested resource' },
  ],
  [
    'K18 nor is a page of a proxy',
    refusal(404, { message: '404 page not found' }),
    { kind: 'later', cause: 'EvictionRefused', shown: true, words: '404 page not found' },
  ],
  ['E2 no disruption allowed', budgetRefusal(), { kind: 'budget' }],
  ['E3 the budget is not counted yet', budgetRefusal(10), { kind: 'budget', retryAfter: 10 }],
  ['E4 priority and fairness', refusal(429, { message: 'Too many requests', retryAfter: 1 }), { kind: 'busy', retryAfter: 1 }],
  [
    'E5 two budgets',
    refusal(500, { message: 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.' }),
    { kind: 'later', cause: 'MultiplePDBs', shown: true },
  ],
  ['E6 UID or lost race', refusal(409, { reason: 'Conflict' }), { kind: 'conflict' }],
  [
    'E7 gave up',
    refusal(504, { reason: 'Timeout', retryAfter: 10 }),
    { kind: 'later', cause: 'ServerError', shown: false, retryAfter: 10 },
  ],
  ['E8 namespace goes away', refusal(403, { causes: terminating }), { kind: 'later', cause: 'NamespaceTerminating', shown: false }],
  [
    'E9 negative budget',
    refusal(403, { message: 'poddisruptionbudget.policy "cart" is forbidden: pdb disruptions allowed is negative' }),
    { kind: 'later', cause: 'DisruptionBudget', shown: true },
  ],
  [
    'E10 no right',
    refusal(403, { message: 'pods "a" is forbidden: User "x" cannot create resource "pods/eviction"' }),
    { kind: 'forbidden', message: 'pods "a" is forbidden: User "x" cannot create resource "pods/eviction"' },
  ],
  [
    'E11 a webhook denies with 403',
    refusal(403, { message: 'admission webhook "guard.example.com" denied the request: no' }),
    { kind: 'later', cause: 'WebhookDenied', shown: true, words: 'admission webhook "guard.example.com" denied the request: no' },
  ],
  [
    'E11 a webhook denies with 429',
    refusal(429, { message: 'admission webhook "guard.example.com" denied the request: wait' }),
    { kind: 'later', cause: 'WebhookDenied', shown: true, words: 'admission webhook "guard.example.com" denied the request: wait' },
  ],
  [
    'E11 a policy denies',
    refusal(422, { message: `pods "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no` }),
    {
      kind: 'later',
      cause: 'WebhookDenied',
      shown: true,
      words: `pods "a" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no`,
    },
  ],
  [
    'E11 a webhook that does not answer',
    refusal(500, { message: 'Internal error occurred: failed calling webhook "guard.example.com": context deadline exceeded' }),
    { kind: 'later', cause: 'WebhookUnavailable', shown: true },
  ],
  ['a token that is being renewed', refusal(401), { kind: 'later', cause: 'ServerError', shown: false }],
  ['K24 another 500', refusal(500), { kind: 'later', cause: 'ServerError', shown: false }],
  ['K24 503 with Retry-After', refusal(503, { retryAfter: 3 }), { kind: 'later', cause: 'ServerError', shown: false, retryAfter: 3 }],
  ['K24 another 4xx', refusal(405), { kind: 'later', cause: 'EvictionRefused', shown: true, words: 'answer 405' }],
  ['an answer that never came', new ApiUnreachable('no'), { kind: 'later', cause: 'ServerError', shown: false }],
];

describe('what an answer to an eviction means', () => {
  it.each(rows)('%s', (_row, error, verdict) => {
    expect(judgeRefusal(error)).toEqual(verdict);
  });

  it('leaves an error of our own to its one handler', () => {
    expect(() => judgeRefusal(new TypeError('bug'))).toThrow('bug');
  });
});
