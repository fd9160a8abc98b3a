import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ack, encode, ending, heartbeat, sessionStatus } from '../../../operator/backends/streamspace/outbound.ts';
import { endOf } from './adapter-rig.ts';

test('heartbeat types are exact', () => {
  expect(heartbeat(3, { maxSessions: 100.9, cpu: '64 cores', memory: '256Gi' })).toEqual({
    type: 'heartbeat',
    payload: { status: 'online', activeSessions: 3, capacity: { maxSessions: 100, cpu: '64 cores', memory: '256Gi' } },
  });
});

test('a message is one document with a time', () => {
  const document = encode(ack('c\n1'));
  expect(document).not.toContain('\n');
  expect(JSON.parse(document)).toEqual({
    type: 'ack',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    payload: { commandId: 'c\n1' },
  });
  expect(Object.keys(JSON.parse(encode({ type: 'pong' })) as object)).toEqual(['type', 'timestamp']);
});

test('a result has the names of the reference agent', () => {
  const result = {
    sessionID: 's1',
    deployment: 's1',
    service: 's1',
    claimName: 's1-home',
    podName: 'p',
    podIP: '10.0.0.1',
    port: 6901,
    state: 'Running',
    startSeconds: 3,
  };
  expect(ending(endOf('c1', { result }))).toEqual({
    type: 'complete',
    payload: {
      commandId: 'c1',
      result: {
        sessionId: 's1',
        deployment: 's1',
        service: 's1',
        pvc: 's1-home',
        podName: 'p',
        podIP: '10.0.0.1',
        vncPort: 6901,
        state: 'running',
        startSeconds: 3,
      },
    },
  });
  expect(ending(endOf('c1', { result: { state: 'Stopped' } })).payload).toMatchObject({ result: { state: 'terminated' } });
});

test.each(['Failed', 'Cancelled', 'Expired', 'TimedOut'] as const)('%s is failed with the cause', (outcome) => {
  expect(ending(endOf('c1', { outcome, message: 'no node fits' }))).toEqual({
    type: 'failed',
    payload: { commandId: 'c1', error: 'no node fits' },
  });
});

test('a failure without words has its reason, and a dry run is no completion', () => {
  expect(ending(endOf('c1', { outcome: 'Failed', message: '', reason: 'Timeout' })).payload?.error).toBe('Timeout');
  expect(ending(endOf('c1', { plan: {} }))).toMatchObject({ type: 'failed', payload: { error: expect.stringContaining('DRY_RUN') } });
});

describe('states', () => {
  const facts = { sessionID: 's1', active: true, message: '' };
  test.each([
    [
      { state: 'Running', port: 6901, podName: 'p' },
      { state: 'running', vncReady: true, vncPort: 6901, platformMetadata: { podName: 'p' } },
    ],
    [{ state: 'Running' }, { state: 'running', vncReady: true, vncPort: 3000, platformMetadata: { podName: '' } }],
    [
      { state: 'Hibernated', port: 1 },
      { state: 'hibernated', vncReady: false },
    ],
    [{ state: 'Stopped' }, { state: 'terminated', vncReady: false }],
    [{ state: 'Failed' }, { state: 'failed', vncReady: false }],
  ] as const)('%j', (more, payload) => {
    expect(sessionStatus({ ...facts, ...more })).toEqual({ type: 'status', payload: { sessionId: 's1', ...payload } });
  });
  test('none on the way', () => expect(sessionStatus(facts)).toBeUndefined());
});

describe('long texts', () => {
  const wide = fc.string({ unit: fc.constantFrom('a', 'é', '漢', '😀', '\u0001', '"'), minLength: 20_000, maxLength: 120_000 });
  test('error is cut at 64 KiB between characters, and the frame stays below 512 KiB', () => {
    fc.assert(
      fc.property(wide, (message) => {
        const { payload, type } = ending(endOf('c'.repeat(500), { outcome: 'Failed', message }));
        const error = String(payload?.error);
        expect(Buffer.byteLength(error)).toBeLessThanOrEqual(64 * 1024);
        expect(error).not.toContain('\ufffd');
        if (error !== message) expect(message.startsWith(error.slice(0, -1))).toBe(true);
        expect(Buffer.byteLength(encode({ type, ...(payload ? { payload } : {}) }))).toBeLessThan(512 * 1024);
      }),
      { numRuns: 20 },
    );
  });
  test('of a long result the names stay', () => {
    const { payload } = ending(endOf('c1', { result: { sessionID: 's1', state: 'Running', log: 'x'.repeat(100_000) } }));
    expect(payload?.result).toEqual({ sessionId: 's1', state: 'running', truncated: true });
  });
});
