import { describe, expect, it } from 'vitest';
import { rolloutOf, scalingOf } from '../../../operator/actions/update-workload/rollout.ts';
import type { Workload } from '../../../operator/actions/update-workload/workload.ts';

const SINCE = new Date('2026-01-02T03:04:05.900Z');
const BEFORE = '2026-01-02T03:04:04Z';
const AFTER = '2026-01-02T03:04:05Z';

function make(kind: Workload['kind'], spec: Workload['spec'], status: Workload['status'], generation = 2): Workload {
  const metadata = { name: 'web', namespace: 'shop', uid: 'u', resourceVersion: '1', generation };
  return { apiVersion: 'apps/v1', kind, metadata, spec: { replicas: 3, ...spec }, status: { observedGeneration: 2, ...status } };
}

const counts = (replicas: number, updatedReplicas: number, availableReplicas: number) => ({ replicas, updatedReplicas, availableReplicas });
const givenUp = (lastUpdateTime: string) => ({
  conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded', lastUpdateTime }],
});
const quota = { conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message: 'exceeded quota: q' }] };
const revisions = (currentRevision: string, updateRevision: string) => ({ currentRevision, updateRevision });
const partition = (number: number) => ({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: number } } });

type Row = [what: string, spec: Workload['spec'], status: Workload['status'], state: string, message: string, done: number, total: number];

const deployments: readonly Row[] = [
  ['done', {}, counts(3, 3, 3), 'done', '', 3, 3],
  ['done with none', { replicas: 0 }, counts(0, 0, 0), 'done', '', 0, 0],
  ['not begun', {}, counts(3, 0, 3), 'waiting', '0 of 3 pods updated, 3 available, 3 old still there', 0, 3],
  ['half way', {}, counts(4, 2, 3), 'waiting', '2 of 3 pods updated, 3 available, 2 old still there', 2, 3],
  ['old pods still there', {}, counts(4, 3, 3), 'waiting', '3 of 3 pods updated, 3 available, 1 old still there', 3, 3],
  ['not available yet', {}, counts(3, 3, 1), 'waiting', '3 of 3 pods updated, 1 available', 1, 3],
  [
    'held by a quota',
    {},
    { ...counts(2, 0, 2), ...quota },
    'waiting',
    '0 of 3 pods updated, 2 available, 2 old still there; exceeded quota: q',
    0,
    3,
  ],
  ['given up', {}, { ...counts(4, 1, 3), ...givenUp(AFTER) }, 'givenUp', '1 of 3 pods updated, 3 available, 3 old still there', 1, 3],
  [
    'given up before it was repaired',
    {},
    { ...counts(4, 1, 3), ...givenUp(BEFORE) },
    'waiting',
    '1 of 3 pods updated, 3 available, 3 old still there',
    1,
    3,
  ],
  ['done after all', {}, { ...counts(3, 3, 3), ...givenUp(AFTER) }, 'done', '', 3, 3],
  ['paused', { paused: true }, counts(3, 1, 3), 'waiting', 'it is paused: kubectl rollout resume lets it go on', 1, 3],
  ['no status at all', {}, { observedGeneration: 0 }, 'waiting', 'its controller has not seen the last change yet', 0, 3],
];

const statefulSets: readonly Row[] = [
  ['done', {}, { ...counts(3, 3, 3), ...revisions('a', 'a') }, 'done', '', 3, 3],
  ['half way', {}, { ...counts(3, 1, 2), ...revisions('a', 'b') }, 'waiting', '1 of 3 pods updated, 2 available, 2 old still there', 1, 3],
  [
    'all updated, the last not available',
    {},
    { ...counts(3, 3, 2), ...revisions('b', 'b') },
    'waiting',
    '3 of 3 pods updated, 2 available',
    2,
    3,
  ],
  [
    'partitioned, half way',
    partition(1),
    { ...counts(3, 1, 3), ...revisions('a', 'b') },
    'waiting',
    '1 of 2 pods updated, 3 available, 1 old still there',
    1,
    2,
  ],
  [
    'partitioned, done',
    partition(1),
    { ...counts(3, 2, 3), ...revisions('a', 'b') },
    'done',
    '1 pod kept on the old template (partition 1)',
    2,
    2,
  ],
  [
    'partitioned above all',
    partition(9),
    { ...counts(3, 0, 3), ...revisions('a', 'b') },
    'done',
    '3 pods kept on the old template (partition 9)',
    0,
    0,
  ],
  [
    'OnDelete',
    { updateStrategy: { type: 'OnDelete' } },
    { ...counts(3, 0, 3), ...revisions('a', 'b') },
    'done',
    'pods take the new template only when they are deleted (updateStrategy OnDelete)',
    0,
    3,
  ],
  ['OnDelete, all deleted', { updateStrategy: { type: 'OnDelete' } }, { ...counts(3, 3, 3), ...revisions('b', 'b') }, 'done', '', 3, 3],
  [
    'not seen',
    {},
    { ...counts(3, 3, 3), ...revisions('a', 'a'), observedGeneration: 1 },
    'waiting',
    'its controller has not seen the last change yet',
    3,
    3,
  ],
];

const scalings: readonly Row[] = [
  ['done', {}, counts(3, 3, 3), 'done', '', 3, 3],
  ['up', {}, counts(2, 2, 1), 'waiting', '1 of 3 pods available', 1, 3],
  ['up against a quota', {}, { ...counts(2, 2, 2), ...quota }, 'waiting', '2 of 3 pods available; exceeded quota: q', 2, 3],
  ['down', {}, counts(5, 5, 5), 'waiting', '2 pods too many still to go', 3, 3],
  ['to none', { replicas: 0 }, { observedGeneration: 2 }, 'done', '', 0, 0],
  ['of a paused Deployment', { paused: true }, counts(3, 1, 3), 'done', '', 3, 3],
  ['given up earlier for another reason', {}, { ...counts(3, 1, 2), ...givenUp(AFTER) }, 'waiting', '2 of 3 pods available', 2, 3],
];

describe('the rollout', () => {
  it.each(deployments)('of a Deployment: %s', (_, spec, status, state, message, done, total) => {
    expect(rolloutOf(make('Deployment', spec, status), SINCE)).toEqual({ state, message, done, total });
  });

  it.each(statefulSets)('of a StatefulSet: %s', (_, spec, status, state, message, done, total) => {
    expect(rolloutOf(make('StatefulSet', spec, status), SINCE)).toEqual({ state, message, done, total });
  });

  it.each(scalings)('to another number: %s', (_, spec, status, state, message, done, total) => {
    expect(scalingOf(make('Deployment', spec, status))).toEqual({ state, message, done, total });
  });
});
