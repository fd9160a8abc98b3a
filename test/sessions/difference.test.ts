import { expect, test } from 'vitest';
import { differenceOf } from '../../operator/sessions/difference.ts';

test.each([
  ['what only the observed one has', { a: 1 }, { a: 1, b: 2 }, undefined],
  ['another value', { spec: { replicas: 1 } }, { spec: { replicas: 2 } }, 'spec.replicas'],
  ['what is missing', { metadata: { labels: { app: 'x' } } }, { metadata: {} }, 'metadata.labels.app'],
  ['what the API server leaves out', { a: false, b: '', c: 0, d: {}, e: [] }, {}, undefined],
  [
    'another order, and more entries',
    { env: [{ name: 'A', value: '1' }] },
    { env: [{ name: 'B' }, { name: 'A', value: '1', more: 1 }] },
    undefined,
  ],
  ['an entry that is another one', { env: [{ name: 'A', value: '1' }] }, { env: [{ name: 'A', value: '2' }] }, 'env[A].value'],
  [
    'an entry that is missing',
    { volumeMounts: [{ name: 'a', mountPath: '/x' }] },
    { volumeMounts: [{ name: 'a', mountPath: '/y' }] },
    'volumeMounts[a]',
  ],
  ['the port of another protocol', { ports: [{ port: 53, protocol: 'UDP' }] }, { ports: [{ port: 53, protocol: 'TCP' }] }, 'ports[53]'],
  ['a quantity in other words', { resources: { limits: { cpu: '1000m' } } }, { resources: { limits: { cpu: '1' } } }, undefined],
  ['another quantity', { resources: { limits: { cpu: '1' } } }, { resources: { limits: { cpu: '2' } } }, 'resources.limits.cpu'],
  ['a plain list', { accessModes: ['ReadWriteOnce'] }, { accessModes: ['ReadWriteMany'] }, 'accessModes[0]'],
  ['no object at all', { spec: { a: { b: 1 } } }, { spec: { a: 'text' } }, 'spec.a.b'],
])('%s', (_, desired, observed, path) => {
  expect(differenceOf(desired, observed)).toBe(path);
});
