import { describe, expect, test } from 'vitest';
import type { ContactEvent } from '../../../operator/backends/backend.ts';
import type { BackendSettings, SessionSettings } from '../../../operator/backends/settings.ts';
import { judge, WAITS } from '../../../operator/backends/streamspace/registration.ts';
import { streamSpace } from '../../../operator/backends/streamspace/streamspace.ts';
import { makeCertificate } from '../certificate.ts';
import { AGENT, startAdapterRig } from './adapter-rig.ts';

const calm = new AbortController().signal;
const KEY = 'a'.repeat(64);

const verdict = (status: number, json?: unknown, notJSON = false) =>
  judge({ status, json, notJSON, words: '' }, AGENT, WAITS, (words) => words);
const agent = { id: 'x', agentId: AGENT, platform: 'kubernetes', approvalStatus: '', status: 'online' };

describe('every row of the answer table', () => {
  test.each([
    [
      '202 pending',
      202,
      { agent, approvalStatus: 'pending', message: 'm' },
      { kind: 'pending', wait: 30, event: { kind: 'refused', reason: 'PendingApproval' } },
    ],
    ['200 pending, as a proxy may make it', 200, { agent, approvalStatus: 'pending' }, { kind: 'pending' }],
    ['202 without words', 202, { agent }, { kind: 'pending' }],
    ['200 approved', 200, { agent, approvalStatus: 'approved', message: 'm' }, { kind: 'approved' }],
    ['200 bare agent', 200, agent, { kind: 'approved' }],
    ['201', 201, agent, { kind: 'approved' }],
    ['200 with an issued key', 200, { agent, approvalStatus: 'approved', apiKey: KEY }, { kind: 'approved', apiKey: KEY }],
    ['200 with an issued key inside', 200, { ...agent, apiKey: KEY }, { kind: 'approved', apiKey: KEY }],
    ['202 with an issued key', 202, { agent, approvalStatus: 'pending', apiKey: KEY }, { kind: 'pending', apiKey: KEY }],
    ['403 rejected', 403, { error: 'e', approvalStatus: 'rejected' }, { wait: 600, event: { kind: 'refused', reason: 'Rejected' } }],
    ['200 rejected', 200, { agent, approvalStatus: 'rejected' }, { wait: 600, event: { kind: 'refused', reason: 'Rejected' } }],
    [
      '403 wrong key',
      403,
      { error: 'Invalid API key' },
      { wait: 60, event: { kind: 'unauthenticated', message: expect.stringContaining('Invalid API key') } },
    ],
    [
      '404',
      404,
      { error: 'Agent not found', details: 'd', agentId: AGENT },
      { wait: 60, event: { kind: 'refused', reason: 'NotRegistered' } },
    ],
    ['404 of something else', 404, undefined, { event: { kind: 'unreachable', message: expect.stringContaining('check it') } }],
    [
      '400',
      400,
      { error: 'e', fields: { region: 'too short' } },
      { wait: 60, event: { kind: 'unreachable', message: expect.stringContaining('{"region":"too short"}') } },
    ],
    [
      '401',
      401,
      { error: 'e', details: 'must be 64' },
      { wait: 60, event: { kind: 'unauthenticated', message: expect.stringContaining('e: must be 64') } },
    ],
    ['429', 429, { error: 'e', retryAfter: 7 }, { wait: 7, event: { kind: 'unreachable' } }],
    ['429 without a time', 429, undefined, { wait: 60 }],
    [
      '200 of a web page',
      200,
      undefined,
      { kind: 'refused', event: { kind: 'unreachable', message: expect.stringContaining('no StreamSpace control plane') } },
    ],
    ['200 of an error', 200, { error: 'database' }, { kind: 'refused', event: { kind: 'unreachable' } }],
    ['409', 409, { error: 'e' }, { kind: 'refused', event: { kind: 'unreachable', message: 'The registration was answered 409: e' } }],
  ])('%s', (_name, status, json, expected) => {
    expect(verdict(status, json)).toMatchObject(expected);
  });
});

test('own key: registered with capacity and namespace, dialled at once', async () => {
  const { cp, connected, contacts } = await startAdapterRig();
  await connected();
  expect(cp.heard.requests.map(({ route, answer }) => `${route} ${answer}`)).toEqual(['register 200', 'connect open']);
  expect(cp.heard.requests[0]?.body).toEqual({
    agentId: AGENT,
    platform: 'kubernetes',
    region: 'us-east-1',
    capacity: { maxSessions: 100, cpu: '64 cores', memory: '256Gi' },
    metadata: { namespace: 'streamspace', kubernetes: true },
  });
  expect(contacts).toEqual([{ kind: 'streaming', open: true }, { kind: 'contact' }]);
  expect(cp.violations).toEqual([]);
});

test('bootstrap key: pending until approved, nothing placed here meanwhile, no dial', async () => {
  const { cp, connected, contacts, until } = await startAdapterRig({ agent: 'unknown' });
  await until(() => cp.heard.requests.filter(({ route, answer }) => route === 'heartbeat' && answer === 200).length >= 2);
  expect(contacts[0]).toMatchObject({ kind: 'refused', reason: 'PendingApproval' });
  expect(cp.heard.requests.map(({ route, answer }) => `${route} ${answer}`).slice(0, 4)).toEqual([
    'register 202',
    'heartbeat 200',
    'register 202',
    'heartbeat 200',
  ]);
  expect(cp.database.agents.get(AGENT)?.status).toBe('draining');
  cp.administrator.approve(AGENT);
  await connected();
  expect(contacts.at(-1)).toEqual({ kind: 'contact' });
  expect(cp.violations).toEqual([]);
});

test('an issued key is kept and used', async () => {
  const { cp, connected, kept, until } = await startAdapterRig({ agent: 'unknown' });
  cp.registration.tellsKeys = true;
  await until(() => cp.database.agents.get(AGENT));
  cp.administrator.approve(AGENT);
  await connected();
  expect(kept).toEqual([cp.database.agents.get(AGENT)?.key]);
});

test('an issued key that cannot be kept is used, and kept as soon as it can', async () => {
  const tries: string[] = [];
  const again = Promise.withResolvers<void>();
  const keepKey: SessionSettings['keepKey'] = async (key) => {
    tries.push(key);
    if (tries.length === 1) throw new Error('the API server is away');
    again.resolve();
  };
  const { cp, connected, contacts, until } = await startAdapterRig({ agent: 'unknown', sessions: { keepKey } });
  cp.registration.tellsKeys = true;
  await until(() => cp.database.agents.get(AGENT));
  cp.administrator.approve(AGENT);
  await connected();
  await again.promise;
  expect(tries[1]).toBe(tries[0]);
  expect(contacts).toContainEqual({ kind: 'malformed', message: expect.stringContaining('the API server is away') });
});

test('rejected: told, asked again, and in as soon as somebody thinks better of it', async () => {
  const { cp, contacts, connected, until } = await startAdapterRig({ agent: 'unknown' });
  await until(() => cp.database.agents.get(AGENT));
  cp.administrator.reject(AGENT);
  await until(() => contacts.some((event) => event.kind === 'refused' && event.reason === 'Rejected'));
  cp.administrator.approve(AGENT);
  await connected();
});

test('unknown id with another key: NotRegistered', async () => {
  const { cp, contacts, until, adapter } = await startAdapterRig({ agent: 'unknown', settings: { key: KEY } });
  await until(() => contacts.some((event) => event.kind === 'refused' && event.reason === 'NotRegistered'));
  const own = cp.administrator.add(AGENT);
  adapter.useKey(own);
  await until(() => cp.hub.get(AGENT)?.open);
});

test('wrong key: unauthenticated, never in a message; a new one is used at once', async () => {
  const { cp, contacts, adapter, connected, until } = await startAdapterRig({
    settings: { key: KEY },
    tuning: { waits: { refused: 3600 } },
  });
  await until(() => contacts.some((event) => event.kind === 'unauthenticated'));
  expect(JSON.stringify(contacts)).not.toContain(KEY);
  const beat = adapter.heartbeat.beat('starting', calm);
  adapter.useKey(cp.administrator.rotateKey(AGENT));
  await connected();
  await beat;
});

test.each([
  ['none', undefined, 'There is no API key'],
  ['a short one', 'abc', 'must be exactly 64 hexadecimal characters, this one has 3'],
  ['64 others', 'z'.repeat(64), 'has other characters'],
])('a key that is %s: nothing is sent, and the fix is named', async (_name, key, words) => {
  const { cp, contacts, adapter, connected, until } = await startAdapterRig({ settings: key === undefined ? {} : { key } });
  if (key === undefined) adapter.useKey('');
  else {
    await until(() => contacts.some((event) => event.kind === 'unauthenticated'));
    expect(cp.heard.requests).toEqual([]);
  }
  await until(() =>
    contacts
      .find((event): event is Extract<ContactEvent, { kind: 'unauthenticated' }> => event.kind === 'unauthenticated')
      ?.message.includes(words),
  );
  adapter.useKey(` ${cp.administrator.rotateKey(AGENT)}\n`);
  await connected();
});

test('rotation: the socket stays, the new key is shown at once, a wrong one is told', async () => {
  const { cp, contacts, adapter, connected, until } = await startAdapterRig({ tuning: { connection: { ping: 0.02, silence: 5 } } });
  await connected();
  const rotated = cp.administrator.rotateKey(AGENT);
  adapter.useKey(rotated);
  await until(() => cp.heard.requests.filter(({ route, answer }) => route === 'register' && answer === 200).length === 2);
  adapter.useKey(KEY);
  await until(() => contacts.at(-1)?.kind === 'unauthenticated');
  // Pongs of the open socket do not say that the key is good.
  const pings = cp.heard.sockets[0]?.pings ?? 0;
  await until(() => (cp.heard.sockets[0]?.pings ?? 0) > pings + 3);
  expect(contacts.at(-1)?.kind).toBe('unauthenticated');
  adapter.useKey(rotated);
  await until(() => contacts.at(-1)?.kind === 'contact');
  expect(cp.heard.sockets).toHaveLength(1);
});

test.each(['http', 'ws', 'http/', 'ws/', 'ws/api/v1/'])('a URL as %s', async (form) => {
  const { cp } = await startAdapterRig({ reading: false });
  const [scheme = '', ...path] = form.split('/');
  const url = cp.url.replace('http', scheme) + (path.length > 0 ? `/${path.join('/')}` : '');
  const rig = await startAdapterRig({ settings: { url, key: cp.administrator.rotateKey(AGENT) }, reading: false });
  const stop = new AbortController();
  const first = rig.adapter.tasks(stop.signal)[Symbol.asyncIterator]().next();
  await cp.connected(AGENT);
  stop.abort();
  await first;
});

test.each([
  ['its own authority', (cert: string) => ({ caBundle: cert })],
  ['no verification', () => ({ insecureSkipVerify: true })],
])('https and wss with %s', async (_name, tls) => {
  const certificate = makeCertificate();
  const { connected, cp } = await startAdapterRig({ server: { tls: certificate }, settings: { tls: tls(certificate.cert) } });
  await connected();
  expect(cp.violations).toEqual([]);
});

test('a client certificate stands for the key', async () => {
  const server = makeCertificate();
  const client = makeCertificate(AGENT);
  const rig = await startAdapterRig({
    server: { tls: { ...server, agentCA: client.cert } },
    settings: {
      key: '',
      tls: { caBundle: server.cert, clientCertificate: { certificate: client.cert, key: client.key } },
    },
  });
  await rig.connected();
});

const settings: BackendSettings = {
  name: 'streamspace',
  url: 'wss://control.example.com/',
  clusterID: AGENT,
  agentID: AGENT,
  key: KEY,
  intervals: { poll: 10, metrics: 60, heartbeat: 10 },
  sessions: { namespace: 'n', capacity: { maxSessions: 1, cpu: '1', memory: '1' }, list: () => [], keepKey: async () => undefined },
};

test.each(['ab', 'a--b', 'a#b', 'a/*b', 'a;b', 'a|b', 'a&b', 'a`b', 'a$(b', 'a b', 'ä'.repeat(5), 'x'.repeat(101), ''])(
  'the agent id %j is refused',
  (agentID) => {
    expect(() => streamSpace({ ...settings, agentID }, () => undefined)).toThrow(/agent id .* choose 3 to 100/);
  },
);

test.each(['abc', 'k8s-prod-us-east-1', 'A.b_c-1', 'x'.repeat(100)])('the agent id %j is taken', (agentID) => {
  expect(() => streamSpace({ ...settings, agentID }, () => undefined)).not.toThrow();
});

test('URLs that cannot be used, and settings without sessions, are refused', () => {
  expect(() => streamSpace({ ...settings, url: 'ftp://x' }, () => undefined)).toThrow(TypeError);
  const { sessions: _, ...without } = settings;
  expect(() => streamSpace(without, () => undefined)).toThrow(/settings.sessions/);
});

test.each([
  [1, 5],
  [10, 10],
  [300, 30],
])('a heartbeat interval of %d s is %d s', (heartbeat, every) => {
  expect(streamSpace({ ...settings, intervals: { ...settings.intervals, heartbeat } }, () => undefined).heartbeat.every).toBe(every);
});
