import { type Duplex, duplexPair } from 'node:stream';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import type { SessionFacts } from '../../../operator/backends/backend.ts';
import type { OutboundMessage } from '../../../operator/backends/streamspace/outbound.ts';
import { TUNNEL_LIMITS, type TunnelLimits } from '../../../operator/backends/streamspace/tunnel.ts';
import { Tunnels } from '../../../operator/backends/streamspace/tunnels.ts';
import { waitFor } from '../../cluster/wait-for.ts';

const GREETING = 'RFB 003.008\n';
const base64 = (text: string) => Buffer.from(text).toString('base64');

function session(more: Partial<SessionFacts> = {}): SessionFacts {
  return { sessionID: 's1', state: 'Running', active: true, podName: 'p1', port: 5900, message: 'Running', ...more };
}

interface RigOptions {
  readonly limits?: Partial<TunnelLimits>;
  /** What each desktop says first. Default: the version of RFB. */
  readonly greet?: (nth: number) => string;
  readonly open?: (nth: number, signal: AbortSignal) => Promise<Duplex | undefined>;
}

/** Tunnels between desktops and a control plane that are both this test. */
function rig({ limits, greet = () => GREETING, open }: RigOptions = {}) {
  const desktops: { desktop: Duplex; heard: () => string }[] = [];
  const sent: { type: string; sessionID: string; text: string }[] = [];
  const sessions: SessionFacts[] = [session()];
  const gate = { closed: false, open: Promise.withResolvers<void>() };
  let opened = 0;
  const tunnels = new Tunnels(
    {
      list: () => sessions,
      tunnel: async (_, signal) => {
        opened += 1;
        const given = await open?.(opened, signal);
        if (given) return given;
        const [ours, desktop] = duplexPair();
        let text = '';
        desktop.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        desktop.on('error', () => undefined);
        ours.once('close', () => desktop.destroy());
        desktops.push({ desktop, heard: () => text });
        const greeting = greet(opened);
        if (greeting) desktop.write(greeting);
        return ours;
      },
    },
    async ({ type, payload }: OutboundMessage) => {
      if (gate.closed) await gate.open.promise;
      const { sessionId, data, error } = payload as { sessionId: string; data?: string; error?: string };
      sent.push({ type, sessionID: sessionId, text: data === undefined ? (error ?? '') : Buffer.from(data, 'base64').toString() });
    },
    { ...TUNNEL_LIMITS, ...limits },
  );
  onTestFinished(() => tunnels.disconnected());
  const data = (text: string, sessionID = 's1') => tunnels.receive({ type: 'vnc_data', sessionID, data: base64(text) });
  const close = (sessionID = 's1') => tunnels.receive({ type: 'vnc_close', sessionID, reason: 'client_disconnect' });
  const said = (type = 'vnc_data') => sent.filter((each) => each.type === type).map(({ text }) => text);
  const until = (look: () => unknown, what = look.toString()) => waitFor(look, { what, every: 2, within: 5000 });
  const greeted = (count: number) => until(() => said().filter((text) => text === GREETING).length === count, `${count} greetings`);
  return { tunnels, desktops, sent, sessions, gate, data, close, said, until, greeted, opened: () => opened };
}

/** A rig with a browser that has answered. */
async function attached(options?: RigOptions) {
  const made = rig(options);
  made.tunnels.running(session());
  await made.greeted(1);
  made.data(GREETING);
  await made.until(() => made.desktops[0]?.heard() === GREETING);
  return made;
}

test('a running session is announced by its greeting, once, and then talks both ways', async () => {
  const { tunnels, desktops, data, said, until, greeted } = rig();
  tunnels.running(session());
  tunnels.running(session());
  await greeted(1);
  data(GREETING);
  data('key');
  await until(() => desktops[0]?.heard() === `${GREETING}key`);
  desktops[0]?.desktop.write('picture');
  await until(() => said().includes('picture'));
  expect(desktops).toHaveLength(1);
  expect(said('vnc_error')).toEqual([]);
});

test('each browser gets a connection of its own', async () => {
  const { desktops, close, greeted, data, until } = await attached();
  close();
  await greeted(2);
  expect(desktops[0]?.desktop.destroyed).toBe(true);
  data(`${GREETING}second`);
  await until(() => desktops[1]?.heard() === `${GREETING}second`);
});

test('a desktop that drops whoever does not answer is connected to again, and announced once', async () => {
  const { tunnels, desktops, data, said, until, greeted, opened } = rig();
  tunnels.running(session());
  await greeted(1);
  desktops[0]?.desktop.end();
  await until(() => opened() === 2);
  data(`${GREETING}hello`);
  await until(() => desktops[1]?.heard() === `${GREETING}hello`);
  desktops[1]?.desktop.write('picture');
  await until(() => said().includes('picture'));
  expect(said()).toEqual([GREETING, 'picture']);
});

test('a browser that comes while the desktop is connected to again is not greeted twice', async () => {
  const gate = Promise.withResolvers<undefined>();
  const { tunnels, desktops, data, said, until, greeted, opened } = rig({ open: async (nth) => (nth === 2 ? gate.promise : undefined) });
  tunnels.running(session());
  await greeted(1);
  desktops[0]?.desktop.end();
  await until(() => opened() === 2);
  data(`${GREETING}hello`);
  gate.resolve(undefined);
  await until(() => desktops[1]?.heard() === `${GREETING}hello`);
  desktops[1]?.desktop.write('picture');
  await until(() => said().includes('picture'));
  expect(said()).toEqual([GREETING, 'picture']);
});

test('another desktop than the announced one is an error', async () => {
  const { tunnels, desktops, said, until, greeted } = rig({ greet: (nth) => (nth === 1 ? GREETING : 'RFB 003.003\n') });
  tunnels.running(session());
  await greeted(1);
  desktops[0]?.desktop.end();
  await until(() => said('vnc_error').length === 1);
  expect(said('vnc_error')).toEqual(['the desktop is another one than the one that was announced']);
});

test('what says nothing is let go, and connected to when a browser speaks', async () => {
  const { tunnels, desktops, data, said, until, opened } = rig({ greet: () => '', limits: { greeting: 0.02 } });
  tunnels.running(session());
  await until(() => desktops[0]?.desktop.destroyed);
  data('GET / ');
  data('HTTP/1.1');
  await until(() => desktops[1]?.heard() === 'GET / HTTP/1.1');
  desktops[1]?.desktop.write('200');
  await until(() => said().includes('200'));
  expect(opened()).toBe(2);
  expect(said('vnc_error')).toEqual([]);
});

test('a desktop that talks on unasked is held back', async () => {
  const { tunnels, desktops, data, said, until, greeted } = rig();
  tunnels.running(session());
  await greeted(1);
  const long = 'x'.repeat(300_000);
  desktops[0]?.desktop.write(long);
  await until(() => (desktops[0]?.desktop.writableLength ?? 0) > 0);
  expect(said()).toEqual([GREETING]);
  data(GREETING);
  await until(() => said().slice(1).join('').length === long.length);
  expect(Math.max(...said().map(({ length }) => length))).toBeLessThanOrEqual(32 * 1024);
});

test('the network to the control plane holds back the desktop', async () => {
  const { desktops, gate, said, until } = await attached();
  gate.closed = true;
  const desktop = desktops[0]?.desktop;
  let written = 0;
  while (desktop?.write('x'.repeat(64 * 1024))) written += 1;
  await until(() => (desktop?.writableLength ?? 0) > 0);
  expect(written).toBeLessThan(10);
  expect(said()).toEqual([GREETING]);
  gate.closed = false;
  gate.open.resolve();
  await until(() => desktop?.writableLength === 0);
});

test('a browser that says nothing more gets a trickle, and all once it speaks', async () => {
  const { desktops, data, said, until } = await attached({ limits: { unanswered: 2, trickle: 3600 } });
  for (const text of ['1', '2', '3', '4']) {
    desktops[0]?.desktop.write(text);
    if (Number(text) < 3) await until(() => said().includes(text));
  }
  expect(said()).toEqual([GREETING, '1', '2']);
  data('more');
  await until(() => said().join('') === `${GREETING}1234`);
});

test.each<[string, Partial<TunnelLimits>, RegExp]>([
  ['nothing passes', { idle: 0.03 }, /^nothing was sent for/],
  ['it is old', { total: 0.03 }, /^a connection to a desktop lasts/],
])('a browser is told when %s', async (_, limits, why) => {
  const { said, until, greeted, close } = await attached({ limits });
  await until(() => said('vnc_error').length === 1);
  expect(said('vnc_error')[0]).toMatch(why);
  close();
  await greeted(2);
});

test('data keeps a connection', async () => {
  const { data, said, until, desktops } = await attached({ limits: { idle: 0.2 } });
  const start = performance.now();
  await until(() => {
    data('x');
    return performance.now() - start > 500;
  });
  expect(said('vnc_error')).toEqual([]);
  expect(desktops[0]?.desktop.destroyed).toBe(false);
});

test('a desktop that cannot be reached is tried for a while, and told once until its browser is gone', async () => {
  const { tunnels, said, until, close, data, opened } = rig({
    open: async () => {
      throw new Error('port 5900 of pod a/b: connection refused');
    },
    limits: { opening: 0 },
  });
  tunnels.running(session());
  await until(() => said('vnc_error').length === 1);
  data(GREETING);
  tunnels.running(session());
  expect(said('vnc_error')).toEqual(['port 5900 of pod a/b: connection refused']);
  expect(opened()).toBe(1);
  close();
  await until(() => said('vnc_error').length === 2);
});

test('a desktop that ends while a browser is there is an error', async () => {
  const { desktops, said, until } = await attached();
  desktops[0]?.desktop.end();
  await until(() => said('vnc_error').length === 1);
  expect(said('vnc_error')).toEqual(['the desktop closed the connection']);
});

test('a session that ends takes its tunnel with it', async () => {
  const { tunnels, desktops, sessions, said, until, greeted, data, close } = await attached();
  sessions[0] = session({ state: 'Hibernated' });
  tunnels.ended(session({ state: 'Hibernated', message: 'idle for 30m' }));
  await until(() => desktops[0]?.desktop.destroyed);
  expect(said('vnc_error')).toEqual(['idle for 30m']);
  close();
  data('late');
  expect(said('vnc_error')).toEqual(['idle for 30m', 'no such session runs here']);
  close();
  sessions[0] = session();
  tunnels.running(session());
  await greeted(2);
});

test('a session that ends without a browser and comes back is announced once', async () => {
  const { tunnels, desktops, sessions, until, greeted, said, opened } = rig();
  tunnels.running(session());
  await greeted(1);
  sessions[0] = session({ state: 'Hibernated' });
  tunnels.ended(session({ state: 'Hibernated' }));
  await until(() => desktops[0]?.desktop.destroyed);
  sessions[0] = session();
  tunnels.running(session());
  await until(() => opened() === 2);
  await until(() => desktops[1]?.desktop.readableFlowing);
  expect(said()).toEqual([GREETING]);
  expect(said('vnc_error')).toEqual([]);
});

test('data for what is not ours, or does not run, reaches nobody and is answered once', async () => {
  const { tunnels, desktops, sessions, data, sent, opened } = rig();
  sessions.push(session({ sessionID: 's2', state: 'Hibernated' }));
  for (const id of ['s2', 'unknown', 's2', 'unknown']) data('x', id);
  tunnels.receive({ type: 'vnc_close', sessionID: 'never seen', reason: '' });
  expect(sent).toEqual(['s2', 'unknown'].map((sessionID) => ({ type: 'vnc_error', sessionID, text: 'no such session runs here' })));
  expect(opened()).toBe(0);
  expect(desktops).toEqual([]);
});

test('what is not base64 ends the browser of that session only', async () => {
  const { tunnels, sessions, desktops, data, said, sent, until } = await attached();
  sessions.push(session({ sessionID: 's2' }));
  tunnels.running(session({ sessionID: 's2' }));
  await until(() => desktops.length === 2);
  for (const text of ['€', 'YQ=', 'a', 'YQ==\n', 'YQ==YQ==']) tunnels.receive({ type: 'vnc_data', sessionID: 's2', data: text });
  expect(sent.filter(({ type }) => type === 'vnc_error')).toEqual([
    { type: 'vnc_error', sessionID: 's2', text: 'what the browser sent is not base64' },
  ]);
  data('still');
  await until(() => desktops[0]?.heard() === `${GREETING}still`);
  expect(said('vnc_error')).toHaveLength(1);
});

test('one message that is too long ends its browser', async () => {
  const { tunnels, said } = await attached();
  tunnels.receive({ type: 'vnc_data', sessionID: 's1', data: 'A'.repeat(64_000_000) });
  expect(said('vnc_error')).toEqual(['the browser sent 64000000 characters at once']);
});

test('a desktop that takes nothing costs its browser, not the memory', async () => {
  const { tunnels, said, until } = rig({ open: (_, signal) => new Promise((__, reject) => signal.addEventListener('abort', reject)) });
  tunnels.running(session());
  const block = 'x'.repeat(100_000);
  for (let sent = 0; sent < 2_000_000; sent += block.length) tunnels.receive({ type: 'vnc_data', sessionID: 's1', data: base64(block) });
  await until(() => said('vnc_error').length > 0);
  expect(said('vnc_error')).toEqual(['the desktop does not take what the browser sends']);
});

test('after a reconnect every running session is announced anew, and a browser from before gets nothing', async () => {
  const { tunnels, desktops, data, close, greeted, until, said } = await attached();
  tunnels.disconnected();
  await until(() => desktops[0]?.desktop.destroyed);
  tunnels.connected();
  await greeted(2);
  data('a mouse of before');
  close();
  data(`${GREETING}new`);
  await until(() => desktops[1]?.heard() === `${GREETING}new`);
  expect(said()).toEqual([GREETING, GREETING]);
  expect(said('vnc_error')).toEqual([]);
});

test('of 200 connections no more than these are made', async () => {
  const { tunnels, sessions, said, until, opened } = rig({ limits: { opening: 0 } });
  sessions.splice(0, 1, ...Array.from({ length: 201 }, (_, index) => session({ sessionID: `s${index}` })));
  tunnels.connected();
  await until(() => said('vnc_error').length === 1);
  expect(said('vnc_error')).toEqual(['200 desktops are connected already']);
  expect(opened()).toBe(200);
});

test('what goes through comes out', async () => {
  const { desktops, data, said, until } = await attached();
  const pieces = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 20 });
  let expected = GREETING;
  await fc.assert(
    fc.asyncProperty(pieces, async (texts) => {
      for (const text of texts) data(text);
      expected += texts.join('');
      await until(() => desktops[0]?.heard() === expected, 'all reached the desktop');
    }),
    { numRuns: 30 },
  );
  expect(said('vnc_error')).toEqual([]);
});

test('whatever happened, a browser that tries again gets a desktop with one greeting', async () => {
  const steps = ['visit', 'look', 'drop', 'hibernate', 'wake', 'reconnect', 'nonsense', 'wait'] as const;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...steps), { maxLength: 12 }), async (script) => {
      const made = rig({ limits: { opening: 0 } });
      const { tunnels, desktops, sessions, sent, data, close, until } = made;
      // The queue of the control plane: what nobody has read.
      let read = 0;
      const turn = () => new Promise((resolve) => setImmediate(resolve));
      /** What a browser sees until it is closed or has seen what it waits for. */
      const browse = async (enough: (text: string) => boolean, within: number) => {
        let text = '';
        for (let look = 0; look < within; look += 1) {
          const message = sent[read];
          if (message) read += 1;
          if (message?.type === 'vnc_error') return { text, closed: true };
          text += message?.text ?? '';
          if (enough(text) && read === sent.length) return { text, closed: false };
          if (!message) await (look % 20 === 19 ? waitFor(() => true, { every: 1 }) : turn());
        }
        return { text, closed: false };
      };
      const wake = () => {
        sessions[0] = session();
        tunnels.running(session());
      };
      wake();
      for (const step of script) {
        const running = sessions[0]?.state === 'Running';
        if (step === 'visit' && running) {
          const { closed } = await browse((text) => text.length > 0, 50);
          if (!closed) data(GREETING);
          await turn();
          close();
        } else if (step === 'look' && running) {
          await browse((text) => text.length > 0, 50);
          close();
        } else if (step === 'drop') {
          desktops.at(-1)?.desktop.end();
        } else if (step === 'hibernate') {
          sessions[0] = session({ state: 'Hibernated' });
          tunnels.ended(session({ state: 'Hibernated' }));
        } else if (step === 'wake' && !running) {
          wake();
        } else if (step === 'reconnect') {
          tunnels.disconnected();
          read = sent.length;
          tunnels.connected();
        } else if (step === 'nonsense' && running) {
          tunnels.receive({ type: 'vnc_data', sessionID: 's1', data: '€' });
        }
        await turn();
      }
      if (sessions[0]?.state !== 'Running') wake();
      const tries: string[] = [];
      const works = async () => {
        const { text, closed } = await browse((seen) => seen.length >= GREETING.length, 400);
        tries.push(closed ? `${text} closed` : text);
        if (closed || text !== GREETING) return close();
        data(`${GREETING}key`);
        await until(() => desktops.at(-1)?.heard() === `${GREETING}key`);
        desktops.at(-1)?.desktop.write('picture');
        const { text: seen } = await browse((news) => news.length >= 'picture'.length, 400);
        expect(seen).toBe('picture');
        return true;
      };
      for (let attempt = 0; attempt < 4; attempt += 1) {
        if (await works()) {
          tunnels.disconnected();
          return;
        }
      }
      throw new Error(`no desktop after ${JSON.stringify(tries)}`);
    }),
    { numRuns: 100 },
  );
});
