import { expect, test } from 'vitest';
import type { OptimizationBackend } from '../../operator/api/optimization-backend.ts';
import { controlPlaneSpec, hasOwnControlPlane, onlyControlPlane } from '../../operator/sync/environment.ts';
import { newFacts, noteContact } from '../../operator/sync/facts.ts';

const ours = { 'app.kubernetes.io/managed-by': 'cloudoptim-operator' };

function backend(name: string, protocol: string, labels = {}): OptimizationBackend {
  return { metadata: { name, labels }, spec: { protocol } } as OptimizationBackend;
}

test('AGENT_ID and CONTROL_PLANE_URL describe a backend, with what else is said', () => {
  expect(controlPlaneSpec({ AGENT_ID: 'a-1', CONTROL_PLANE_URL: 'wss://c', REGION: 'eu', HEALTH_CHECK_INTERVAL: { used: 7 } })).toEqual({
    protocol: 'StreamSpace',
    url: 'wss://c',
    agentID: 'a-1',
    region: 'eu',
    credentialsSecretRef: { name: 'streamspace-agent' },
    intervals: { heartbeat: '7s' },
  });
  expect(controlPlaneSpec({ AGENT_ID: 'a-1' })).toBeUndefined();
  expect(controlPlaneSpec({ CONTROL_PLANE_URL: 'wss://c' })).toBeUndefined();
});

test.each<[string, OptimizationBackend[], boolean, string | undefined]>([
  ['none', [], false, undefined],
  ['one of another protocol', [backend('a', 'CloudOptim')], false, undefined],
  ['the one of the environment', [backend('streamspace', 'StreamSpace', ours)], false, 'streamspace'],
  ['one of that name that somebody made', [backend('streamspace', 'StreamSpace')], true, 'streamspace'],
  ['one of another name', [backend('prod', 'StreamSpace', ours)], true, 'prod'],
  ['two', [backend('prod', 'StreamSpace'), backend('streamspace', 'StreamSpace', ours)], true, undefined],
])('with %s it is known whether the environment makes one, and whose sessions are adopted', (_, backends, own, only) => {
  expect(hasOwnControlPlane(backends)).toBe(own);
  expect(onlyControlPlane(backends)).toBe(only);
});

test.each([
  ['PendingApproval', true],
  ['Rejected', true],
  ['ShutdownRequested', true],
  ['NotRegistered', undefined],
] as const)('%s is no connection, and of the key it is known: %s', (reason, authenticated) => {
  const facts = { ...newFacts(), keyed: true };
  const at = new Date();
  expect(noteContact(facts, { kind: 'refused', reason, message: 'why' }, at)).toBe(true);
  expect(facts).toMatchObject({ connected: false, authenticated, refused: reason, message: 'why', lastContact: at });
  expect(noteContact(facts, { kind: 'refused', reason, message: 'why' }, at)).toBe(false);
  expect(noteContact(facts, { kind: 'contact' }, at)).toBe(true);
  expect(facts).toMatchObject({ connected: true, authenticated: true, refused: undefined, message: '' });
});
