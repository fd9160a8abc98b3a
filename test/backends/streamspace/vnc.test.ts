import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { SessionFacts } from '../../../operator/backends/backend.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { startTarget } from '../../kube/forwarders.ts';
import { type AdapterRig, AGENT, startAdapterRig } from './adapter-rig.ts';
import type { Browser } from './vnc.ts';

const calm = new AbortController().signal;
const GREETING = 'RFB 003.008\n';

/** A VNC server as far as a tunnel can see: says its version, then whatever `talk` does with what comes after the browser's. */
function desktop(talk: (socket: Socket, data: Buffer) => void) {
  return startTarget((socket) => {
    socket.write(GREETING);
    let shaken = false;
    socket.on('data', (data) => {
      const rest = shaken ? data : data.subarray(GREETING.length);
      shaken = true;
      if (rest.length > 0) talk(socket, rest);
    });
  });
}

const facts = (sessionID: string, more: Partial<SessionFacts> = {}): SessionFacts => ({
  sessionID,
  state: 'Running',
  active: true,
  port: 5900,
  podName: 'p',
  message: '',
  ...more,
});

/** A control plane and an adapter whose tunnels all lead to one port of this machine. */
function tunnelled(port: number): Promise<AdapterRig> {
  const tunnel = async (_: string, signal: AbortSignal) => {
    const socket = connect({ port, host: '127.0.0.1', signal });
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return socket;
  };
  return startAdapterRig({ sessions: { tunnel }, tuning: { tunnel: { opening: 0 } } });
}

async function runSession({ cp, adapter, sessions }: AdapterRig, user = 'admin'): Promise<string> {
  const id = cp.users.create({ user, template: 'firefox' }).session?.id ?? '';
  sessions.push(facts(id));
  await adapter.reportSession?.(facts(id), calm);
  await cp.state(id, 'running');
  return id;
}

const textOf = (browser: Browser) => Buffer.concat(browser.received.map((each) => Buffer.from(each, 'base64'))).toString();
const say = (browser: Browser, data: string | Buffer) => browser.send(Buffer.from(data).toString('base64'));

test('a browser that comes later, and each one after it, speaks with the desktop', async () => {
  const target = await desktop((socket, data) => socket.write(`you said ${data}`));
  const rig = await tunnelled(target.port);
  const { cp, connected, until } = rig;
  await connected();
  const id = await runSession(rig);
  await until(() => cp.heard.of('vnc_data').length === 1);
  for (const word of ['one', 'two', 'three']) {
    const browser = cp.users.open(id);
    await until(() => textOf(browser) === GREETING);
    say(browser, GREETING);
    say(browser, word);
    await until(() => textOf(browser) === `${GREETING}you said ${word}`);
    browser.detach();
  }
  expect(cp.heard.of('vnc_error')).toEqual([]);
  expect(cp.violations).toEqual([]);
});

test('5 MB reach a browser as they were', async () => {
  const picture = randomBytes(5 * 1024 * 1024);
  const target = await desktop((socket, data) => String(data) === 'update' && socket.write(picture));
  const rig = await tunnelled(target.port);
  const { cp, connected, until } = rig;
  await connected();
  const browser = cp.users.open(await runSession(rig));
  await until(() => textOf(browser) === GREETING);
  say(browser, `${GREETING}update`);
  const hash = createHash('sha256');
  let seen = 1;
  let length = 0;
  await until(() => {
    const news = browser.received.slice(seen).map((each) => Buffer.from(each, 'base64'));
    seen += news.length;
    for (const each of news) {
      hash.update(each);
      length += each.length;
    }
    // As a browser does after each part of a picture.
    if (news.length > 0) say(browser, 'more');
    return length === picture.length;
  });
  expect(hash.digest('hex')).toBe(createHash('sha256').update(picture).digest('hex'));
});

test('a desktop that dies closes its browser, and the next one finds a new one', async () => {
  const target = await desktop((socket, data) => (String(data) === 'die' ? socket.destroy() : socket.write(data)));
  const rig = await tunnelled(target.port);
  const { cp, connected, until } = rig;
  await connected();
  const id = await runSession(rig);
  const first = cp.users.open(id);
  await until(() => textOf(first) === GREETING);
  say(first, `${GREETING}die`);
  await until(() => first.closed);
  const second = cp.users.open(id);
  await until(() => textOf(second) === GREETING);
  say(second, `${GREETING}live`);
  await until(() => textOf(second) === `${GREETING}live`);
});

test('a desktop that nobody serves closes its browser at once', async () => {
  const target = await desktop(() => undefined);
  target.server.close();
  const rig = await tunnelled(target.port);
  const { cp, connected, until } = rig;
  await connected();
  const id = await runSession(rig);
  await until(() => cp.heard.of('vnc_error').length === 1);
  const browser = cp.users.open(id);
  await until(() => browser.closed);
});

test('what a browser sends in binary, which the control plane mangles, ends it and no other', async () => {
  const target = await desktop((socket, data) => socket.write(data));
  const rig = await tunnelled(target.port);
  const { cp, connected, until } = rig;
  await connected();
  const id = await runSession(rig);
  const browser = cp.users.open(id);
  await until(() => textOf(browser) === GREETING);
  browser.send(Buffer.from([0, 200, 255, 3]));
  await until(() => browser.closed);
  const next = cp.users.open(id);
  await until(() => textOf(next) === GREETING);
});

test('hibernation closes the browser, and after the wake there is a desktop again', async () => {
  const target = await desktop((socket, data) => socket.write(data));
  const rig = await tunnelled(target.port);
  const { cp, adapter, sessions, connected, until } = rig;
  await connected();
  const id = await runSession(rig);
  const browser = cp.users.open(id);
  await until(() => textOf(browser) === GREETING);
  say(browser, `${GREETING}hello`);
  await until(() => textOf(browser) === `${GREETING}hello`);
  sessions[0] = facts(id, { state: 'Hibernated', active: false });
  await adapter.reportSession?.(facts(id, { state: 'Hibernated', active: false, message: 'idle for 30m' }), calm);
  await until(() => browser.closed);
  await waitFor(() => target.sockets.size === 0, { what: 'the desktop sees the end' });
  sessions[0] = facts(id);
  await adapter.reportSession?.(facts(id), calm);
  await cp.state(id, 'running');
  const next = cp.users.open(id);
  await until(() => textOf(next) === GREETING);
});

test('after a reconnect a reloaded browser has its desktop', async () => {
  const target = await desktop((socket, data) => socket.write(data));
  const rig = await tunnelled(target.port);
  const { cp, connected, until } = rig;
  await connected();
  const id = await runSession(rig);
  const before = cp.users.open(id);
  await until(() => textOf(before) === GREETING);
  say(before, `${GREETING}x`);
  await until(() => textOf(before) === `${GREETING}x`);
  const old = cp.hub.get(AGENT);
  cp.cut();
  await until(() => !cp.hub.get(AGENT)?.open);
  cp.heal();
  await until(() => cp.hub.get(AGENT) !== old && cp.hub.get(AGENT)?.open);
  await until(
    () => cp.heard.of('vnc_data').filter(({ payload }) => payload.data === Buffer.from(GREETING).toString('base64')).length === 2,
  );
  say(before, 'a mouse');
  before.detach();
  const after = cp.users.open(id);
  await until(() => textOf(after) === GREETING);
  say(after, `${GREETING}y`);
  await until(() => textOf(after) === `${GREETING}y`);
  expect(cp.heard.of('vnc_error')).toEqual([]);
});
