import { expect, test } from 'vitest';
import { expiresAt, isSettled } from '../../operator/reconcilers/expiry.ts';
import { finished, NOON, source } from './objects.ts';

const DAY = 86_400;

// FIELD.md N9: 24 h after a success, 7 d after anything else; what the object says counts for every end.
test.each([
  ['Succeeded', undefined, DAY],
  ['Planned', undefined, DAY],
  ['Failed', undefined, 7 * DAY],
  ['Cancelled', undefined, 7 * DAY],
  ['Expired', undefined, 7 * DAY],
  ['Succeeded', 0, 0],
  ['Failed', 0, 0],
  ['Failed', 60, 60],
  ['Succeeded', 365 * DAY, 365 * DAY],
] as const)('%s with ttlSecondsAfterFinished %s goes after %s s', (phase, ttlSecondsAfterFinished, after) => {
  const object = finished({ status: { phase }, spec: { ttlSecondsAfterFinished } });
  expect(expiresAt(object)).toBe(Date.parse(NOON) + after * 1000);
});

test.each(['Pending', 'AwaitingApproval', 'Queued', 'Suspended', 'Running'] as const)('%s has no end to count from', (phase) => {
  expect(expiresAt(finished({ status: { phase, finishedAt: undefined }, spec: { ttlSecondsAfterFinished: 0 } }))).toBeUndefined();
});

// FIELD.md A43: a tool that declares the object would only make it anew.
test.each([
  [{ annotations: { 'argocd.argoproj.io/tracking-id': 'app:cloudoptim.io/OptimizationAction:ns/a' } }],
  [{ labels: { 'app.kubernetes.io/instance': 'app' } }],
  [{ labels: { 'argocd.argoproj.io/instance': 'app' } }],
  [{ labels: { 'kustomize.toolkit.fluxcd.io/name': 'apps' } }],
  [{ labels: { 'helm.toolkit.fluxcd.io/name': 'chart' } }],
])('what carries %j never goes by its time', (metadata) => {
  expect(expiresAt(finished({ metadata, spec: { ttlSecondsAfterFinished: 0 } }))).toBeUndefined();
});

test.each([
  [{ labels: { 'app.kubernetes.io/managed-by': 'somebody' } }],
  [{ labels: { 'cloudoptim.io/backend': 'prod' }, annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{}' } }],
])('what carries %j goes like any other', (metadata) => {
  expect(expiresAt(finished({ metadata }))).toBe(Date.parse(NOON) + DAY * 1000);
});

const reported = (status: 'True' | 'False' | 'Unknown') => [
  { type: 'Reported', status, reason: 'Taken', message: '', lastTransitionTime: NOON },
];

test.each([
  ['one of kubectl', undefined, [], true, true],
  ['a mirrored one that is not reported', source, [], true, false],
  ['a mirrored one whose report is not decided', source, reported('Unknown'), true, false],
  ['a mirrored one whose result was taken', source, reported('True'), true, true],
  ['a mirrored one whose result was refused for good', source, reported('False'), true, true],
  ['a mirrored one whose backend is gone', source, [], false, true],
] as const)('%s is settled or not', (_, from, conditions, backendExists, settled) => {
  const object = finished({ spec: { source: from }, status: { conditions } });
  expect(isSettled(object, () => backendExists)).toBe(settled);
});
