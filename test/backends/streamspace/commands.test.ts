import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sessionRequest } from '../../../operator/api/session-spec.ts';
import { readCommand } from '../../../operator/backends/streamspace/commands.ts';

const start = {
  sessionId: 'admin-firefox-0c757c2e',
  user: 'admin',
  template: 'firefox',
  templateManifest: { kind: 'Template', spec: { baseImage: 'linuxserver/firefox:latest' } },
  namespace: 'streamspace',
  memory: '1Gi',
  cpu: '500m',
  persistentHome: true,
  idleTimeout: '30m',
  maxSessionDuration: '8h',
  tags: ['a'],
};

const read = (action: unknown, payload: unknown) => readCommand({ commandId: 'cmd-1', action, payload }, 'streamspace');

test('a start is a SessionStart with the spec of the Session', () => {
  expect(read('start_session', start)).toEqual({
    notes: [],
    task: {
      kind: 'action',
      id: 'cmd-1',
      action: 'SessionStart',
      sessionID: 'admin-firefox-0c757c2e',
      requestedBy: 'admin',
      params: {
        sessionRef: { name: 'admin-firefox-0c757c2e' },
        session: {
          user: 'admin',
          template: { image: 'linuxserver/firefox:latest' },
          templateName: 'firefox',
          resources: { cpu: '500m', memory: '1Gi' },
          home: { enabled: true },
          idleTimeout: '30m',
          maxDuration: '8h',
          backendRef: { name: 'streamspace' },
          sessionID: 'admin-firefox-0c757c2e',
          tags: ['a'],
        },
      },
    },
  });
});

test('a start of the seed: six members, no manifest', () => {
  const six = { sessionId: 'sess-123', user: 'alice', template: 'firefox', persistentHome: false, memory: '2Gi', cpu: '1000m' };
  expect(read('start_session', six).task).toMatchObject({
    params: {
      sessionRef: { name: 'sess-123' },
      session: { user: 'alice', templateRef: { name: 'firefox' }, resources: { cpu: '1000m', memory: '2Gi' }, sessionID: 'sess-123' },
    },
  });
});

test.each([
  ['tags null', { tags: null }, (session: object) => expect(session).not.toHaveProperty('tags')],
  ['tags with garbage', { tags: ['a', 5, '', 'b'] }, (session: object) => expect(session).toMatchObject({ tags: ['a', 'b'] })],
  ['no home', { persistentHome: undefined }, (session: object) => expect(session).not.toHaveProperty('home')],
  ['home as text', { persistentHome: 'true' }, (session: object) => expect(session).toMatchObject({ home: { enabled: true } })],
  ['empty times', { idleTimeout: '', maxSessionDuration: null }, (session: object) => expect(session).not.toHaveProperty('idleTimeout')],
  ['a time of 0', { idleTimeout: '0s' }, (session: object) => expect(session).not.toHaveProperty('idleTimeout')],
  ['Go times', { idleTimeout: '1h0m0s' }, (session: object) => expect(session).toMatchObject({ idleTimeout: '1h0m0s' })],
  ['no amounts', { cpu: '', memory: null }, (session: object) => expect(session).not.toHaveProperty('resources')],
  [
    'amounts as numbers',
    { cpu: 2, memory: 1024 },
    (session: object) => expect(session).toMatchObject({ resources: { cpu: '2', memory: '1024' } }),
  ],
  [
    'a template with a space',
    { template: 'Firefox Browser', templateManifest: {} },
    (session: object) => expect(session).toMatchObject({ templateRef: { name: 'firefox-browser' } }),
  ],
])('%s', (_name, changes, check) => {
  const { task } = read('start_session', { ...start, ...changes });
  expect(task?.kind).toBe('action');
  check((task as unknown as { params: { session: object } }).params.session);
});

test('what a manifest loses is told', () => {
  const templateManifest = { spec: { baseImage: 'i', ports: [{ name: 'x' }] } };
  expect(read('start_session', { ...start, templateManifest }).notes).toEqual([
    'command "cmd-1": templateManifest: spec.ports[0] was dropped: nothing is no port from 1 to 65535',
  ]);
});

test.each([
  ['stop_session', 'SessionStop', {}],
  ['stop_session', 'SessionStop', { deletePVC: false }],
  ['hibernate_session', 'SessionHibernate', {}],
  ['wake_session', 'SessionWake', { namespace: 'elsewhere' }],
])('%s is %s', (theirs, ours, more) => {
  expect(read(theirs, { sessionId: 'Ada', ...more }).task).toEqual({
    kind: 'action',
    id: 'cmd-1',
    action: ours,
    sessionID: 'Ada',
    params: { sessionRef: { name: expect.stringMatching(/^ada--[0-9a-f]{16}$/) } },
  });
});

test('deletePVC is passed on with a stop only', () => {
  expect(read('stop_session', { sessionId: 's', deletePVC: true }).task).toMatchObject({
    params: { sessionRef: { name: 's' }, deletePVC: true },
  });
  expect(read('hibernate_session', { sessionId: 's', deletePVC: true }).task).toMatchObject({ params: { sessionRef: { name: 's' } } });
});

describe('what cannot be carried out is failed, with the member and the fix', () => {
  test.each([
    [
      'an unknown action',
      'restart_session',
      { sessionId: 's' },
      'Unknown action "restart_session"; this operator runs start_session, stop_session, hibernate_session, wake_session',
    ],
    ['no action', undefined, {}, 'Unknown action nothing'],
    ['an inherited name', 'constructor', {}, 'Unknown action "constructor"'],
    ['no payload', 'start_session', undefined, 'user is missing'],
    ['an empty payload', 'start_session', {}, 'user is missing'],
    ['an empty payload', 'wake_session', {}, 'sessionId is missing'],
    ['a payload that is a text', 'wake_session', 'x', 'sessionId is missing'],
    ['no sessionId', 'start_session', { ...start, sessionId: '' }, 'sessionId is missing'],
    ['no user', 'start_session', { ...start, user: null }, 'user is missing'],
    ['no template', 'start_session', { ...start, template: ' ' }, 'template is missing'],
    ['a long user', 'start_session', { ...start, user: 'u'.repeat(254) }, 'user has more than 253 characters'],
    ['a long sessionId', 'stop_session', { sessionId: 's'.repeat(513) }, 'sessionId has more than 512 characters'],
    ['cpu', 'start_session', { ...start, cpu: 'much' }, 'cpu must be a quantity such as 500m, not "much"'],
    ['memory', 'start_session', { ...start, memory: '2 GB' }, 'memory must be a quantity such as 1Gi, not "2 GB"'],
    ['no cpu at all', 'start_session', { ...start, cpu: '0m' }, 'cpu must be a quantity such as 500m, not "0m"'],
    [
      'idleTimeout',
      'start_session',
      { ...start, idleTimeout: 'soon' },
      'idleTimeout must be a duration such as 30m, or "" for none, not "soon"',
    ],
    ['maxSessionDuration', 'start_session', { ...start, maxSessionDuration: 30 }, 'maxSessionDuration must be a duration'],
    ['persistentHome', 'start_session', { ...start, persistentHome: 'yes' }, 'persistentHome must be true or false, not "yes"'],
    ['deletePVC', 'stop_session', { sessionId: 's', deletePVC: 1 }, 'deletePVC must be true or false, not "1"'],
    [
      'a template without a letter',
      'start_session',
      { ...start, template: '///', templateManifest: {} },
      'cannot be the name of a SessionTemplate',
    ],
  ])('%s', (_name, action, payload, words) => {
    const { task } = read(action, payload);
    expect(task).toMatchObject({ kind: 'invalid', id: 'cmd-1', message: expect.stringContaining(words) });
  });

  test('session and action are named where they can be read', () => {
    expect(read('start_session', { sessionId: 's' }).task).toMatchObject({ kind: 'invalid', sessionID: 's', action: 'SessionStart' });
  });
});

test.each([undefined, null, 5, 'x', {}, { commandId: '' }, { commandId: null }, { commandId: {} }, { commandId: 'x'.repeat(513) }])(
  'without an id there is nobody to answer: %j',
  (payload) => {
    expect(readCommand(payload, 'b')).toMatchObject({ notes: [expect.stringContaining('a command has no')] });
    expect(readCommand(payload, 'b').task).toBeUndefined();
  },
);

test('a numeric id is taken as text', () => {
  expect(readCommand({ commandId: 7, action: 'stop_session', payload: { sessionId: 8 } }, 'b').task).toMatchObject({
    id: '7',
    sessionID: '8',
  });
});

test('whatever comes, nothing is thrown, and what is no task is one that Sessions accept', () => {
  const value = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('1Gi', '30m', 'firefox'),
    fc.array(fc.string()),
  );
  const payload = fc.oneof(
    fc.anything(),
    fc.record(
      Object.fromEntries(
        Object.keys(start).map((name) => [name, fc.oneof({ weight: 2, arbitrary: fc.constant(start[name as keyof typeof start]) }, value)]),
      ) as Record<keyof typeof start, fc.Arbitrary<unknown>>,
      { requiredKeys: [] },
    ),
  );
  fc.assert(
    fc.property(fc.constantFrom('start_session', 'stop_session', 'x'), payload, (action, members) => {
      const { task } = read(action, members);
      expect(task?.id).toBe('cmd-1');
      if (task?.kind !== 'action' || task.action !== 'SessionStart') return;
      expect(sessionRequest.strict().safeParse((task.params as { session: unknown }).session).error).toBeUndefined();
    }),
    { numRuns: 1000 },
  );
});
