import { expect, test } from 'vitest';
import { heldSpec, identityOf, type Lease, projectLease, releasedSpec, respect, type Sight, shortName } from '../../operator/kube/lease.ts';

const ME = 'op-a_uid-a_2';
const lease = (holder: string, seconds?: number): Lease => ({
  name: 'l',
  namespace: 'n',
  uid: 'u',
  resourceVersion: '1',
  holder,
  seconds,
  acquireTime: 'long ago',
  renewTime: 'just now',
  transitions: 4,
});
const sight = (seen: Partial<Sight>): Sight => ({ lease: undefined, identity: ME, first: false, respected: 7, own: 10, ...seen });

test.each<[string, Partial<Sight>, number]>([
  ['none at the start: free', { first: true }, 0],
  ['one that vanished: as long as it would have held, because its holder may still act', {}, 7],
  ['our own', { lease: lease(ME, 10) }, 0],
  ['given back', { lease: lease('', 1) }, 0],
  ['emptied by hand: its holder may still act', { lease: lease('', 10) }, 10],
  ['emptied by hand, and seen at the start', { lease: lease('', 10), first: true }, 10],
  ['of somebody else: as long as that one says', { lease: lease('op-b_uid-b_1', 30) }, 30],
  ['that does not say how long', { lease: lease('op-b_uid-b_1') }, 10],
  ['that says longer than any operator may', { lease: lease('op-b_uid-b_1', 2_000_000_000) }, 300],
  ['of the dead predecessor in our pod', { lease: lease('op-a_uid-a_1', 10), first: true }, 0],
  ['of our pod, but not there when we started', { lease: lease('op-a_uid-a_3', 10) }, 10],
  ['of a pod with our name and another UID', { lease: lease('op-a_uid-z_1', 10), first: true }, 10],
  ['of a process of our machine, outside a cluster', { lease: lease('host_1', 10), identity: 'host_2', first: true }, 10],
])('a Lease %s', (_, seen, seconds) => {
  expect(respect(sight(seen))).toBe(seconds);
});

test('an identity names the pod, its UID and the process; people see the pod', () => {
  expect(identityOf({ name: 'op-a', uid: 'uid-a' }, 'host', '2')).toBe(ME);
  expect(identityOf(undefined, 'host', '2')).toBe('host_2');
  expect([shortName(ME), shortName('host_2'), shortName('')]).toEqual(['op-a', 'host', '']);
});

test.each<[string, Lease | undefined, { acquireTime: string; leaseTransitions: number }]>([
  ['a new one', undefined, { acquireTime: '2026-01-02T03:04:05.678000Z', leaseTransitions: 0 }],
  ['one of somebody else', lease('op-b_uid-b_1'), { acquireTime: '2026-01-02T03:04:05.678000Z', leaseTransitions: 5 }],
  ['one that was given back', lease('', 1), { acquireTime: '2026-01-02T03:04:05.678000Z', leaseTransitions: 5 }],
  ['our own', lease(ME), { acquireTime: 'long ago', leaseTransitions: 4 }],
])('the spec for taking %s', (_, before, expected) => {
  expect(heldSpec(before, ME, 10, new Date('2026-01-02T03:04:05.678Z'))).toEqual({
    holderIdentity: ME,
    leaseDurationSeconds: 10,
    renewTime: '2026-01-02T03:04:05.678000Z',
    ...expected,
  });
});

test('what was given back is free for everyone', () => {
  const spec = releasedSpec(new Date());
  const read = projectLease({ metadata: { name: 'l', uid: 'u', resourceVersion: '2' }, spec });
  expect(respect(sight({ lease: read, first: true }))).toBe(0);
  expect(read.holder).toBe('');
});

test('a Lease with nothing in it, or nonsense, is read', () => {
  const metadata = { name: 'l', namespace: 'n', uid: 'u', resourceVersion: '2' };
  const empty = { ...metadata, holder: '', seconds: undefined, acquireTime: '', renewTime: '', transitions: 0 };
  expect(projectLease({ metadata })).toEqual(empty);
  expect(projectLease({ metadata, spec: { holderIdentity: 5, leaseDurationSeconds: 'x', leaseTransitions: null } })).toEqual(empty);
});
