import { expect, test } from 'vitest';
import type { KubeObject } from '../../operator/kube/object.ts';
import { diagnose, type Observed } from '../../operator/sessions/diagnosis.ts';
import { pod } from './sessions.ts';

const READY = {
  phase: 'Running',
  conditions: [{ type: 'Ready', status: 'True' }],
  containerStatuses: [{ name: 'session', state: { running: {} } }],
};
const deployment = (status: object = {}) =>
  ({
    metadata: { name: 'ada', generation: 2 },
    spec: { template: { metadata: { labels: { 'cloudoptim.io/revision': 'r1' } } } },
    status: { observedGeneration: 2, replicas: 1, updatedReplicas: 1, ...status },
  }) as unknown as KubeObject;
const service = { metadata: { name: 'ada' } } as KubeObject;
const look = (observed: Partial<Observed>) => diagnose({ deployment: deployment(), service, pods: [], ...observed }, 'img');
const waiting = (reason: string, more: object = {}) => ({
  phase: 'Pending',
  containerStatuses: [{ name: 'session', state: { waiting: { reason, message: 'words' } }, ...more }],
});

test.each<[string, Partial<Observed>, boolean]>([
  ['a ready pod of the newest template', { pods: [pod('a', READY)] }, true],
  ['a pod that is going', { pods: [pod('a', READY, { deletionTimestamp: '2026-01-01T00:00:00Z' })] }, false],
  ['a pod of an older template', { pods: [pod('a', READY, { labels: { 'cloudoptim.io/revision': 'r0' } })] }, false],
  ['a change that the Deployment has not seen', { pods: [pod('a', READY)], deployment: deployment({ observedGeneration: 1 }) }, false],
  ['pods of an older ReplicaSet', { pods: [pod('a', READY)], deployment: deployment({ updatedReplicas: 0 }) }, false],
  ['no Service', { pods: [pod('a', READY)], service: undefined }, false],
  ['a pod that is not ready', { pods: [pod('a', { phase: 'Running' })] }, false],
  ['the new one of two', { pods: [pod('a', READY, { deletionTimestamp: 'x' }), pod('b', READY)] }, true],
  ['one beside an evicted one', { pods: [pod('a', { phase: 'Failed' }), pod('b', READY)] }, true],
])('4.3 %s: ready %s', (_, observed, ready) => {
  expect(look(observed).ready).toBe(ready);
});

const UNSCHEDULED = {
  conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/3 nodes are available' }],
};
const claim = { metadata: { name: 'ada-home' }, spec: { storageClassName: 'fast' }, status: { phase: 'Pending' } } as unknown as KubeObject;

test.each<[Partial<Observed>, string | undefined, string | undefined, RegExp]>([
  [{}, undefined, undefined, /^$/],
  [{ pods: [pod('a', { phase: 'Pending' })] }, undefined, undefined, /^$/],
  [{ pods: [pod('a', waiting('ContainerCreating'))] }, undefined, undefined, /^$/],
  [{ pods: [pod('a', waiting('InvalidImageName'))] }, 'InvalidImageName', 'at once', /^the image img cannot be pulled: words$/],
  [{ pods: [pod('a', waiting('ErrImagePull'))] }, 'ErrImagePull', 'soon', /^the image img/],
  [
    { pods: [pod('a', waiting('CreateContainerConfigError'))] },
    'CreateContainerConfigError',
    'at once',
    /^the container cannot be made: words$/,
  ],
  [{ pods: [pod('a', waiting('RunContainerError'))] }, 'RunContainerError', 'soon', /^the container cannot be made: words$/],
  [{ pods: [pod('a', waiting('Something new!'))] }, 'ContainerWaiting', 'soon', /^the container cannot be made: Something new!: words$/],
  [
    { pods: [pod('a', waiting('CrashLoopBackOff', { restartCount: 2, lastState: { terminated: { exitCode: 1, reason: 'Error' } } }))] },
    'CrashLoopBackOff',
    'soon',
    /^the container has crashed 2 times, last with exit code 1 \(Error\)/,
  ],
  [
    {
      pods: [
        pod('a', {
          containerStatuses: [{ name: 'session', restartCount: 1, state: { running: {} }, lastState: { terminated: { exitCode: 2 } } }],
        }),
      ],
    },
    'CrashLoopBackOff',
    'later',
    /^the container has crashed once, last with exit code 2:/,
  ],
  [{ pods: [pod('a', UNSCHEDULED, {}, '')] }, 'Unschedulable', 'later', /^no node takes its pod: 0\/3 nodes are available$/],
  [{ pods: [pod('a', UNSCHEDULED, {}, '')], claim }, 'Unschedulable', 'later', /; the claim ada-home \(StorageClass fast\) is Pending$/],
  [
    { deployment: deployment({ conditions: [{ type: 'ReplicaFailure', message: 'exceeded quota' }] }) },
    'PodRefused',
    'later',
    /exceeded quota/,
  ],
])('%# what is wrong is %s, and gives %s', (observed, reason, gives, message) => {
  const { trouble, claims } = look(observed);
  expect([trouble?.reason, trouble?.gives]).toEqual([reason, gives]);
  expect(trouble?.message ?? '').toMatch(message);
  for (const each of claims) expect(each.reason).toMatch(/^[A-Z][A-Za-z]+$/);
});
