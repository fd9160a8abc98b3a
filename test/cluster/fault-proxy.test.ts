import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { waitFor } from './wait-for.ts';

let echo: Server;
let proxy: FaultProxy;
let sockets: Socket[];
let heard: string;

beforeEach(async () => {
  sockets = [];
  heard = '';
  echo = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (piece) => {
      heard += piece;
      socket.write(piece);
    });
    socket.on('end', () => socket.end('bye'));
  });
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  proxy = await startFaultProxy({ host: '127.0.0.1', port: echoPort() });
});

afterEach(async () => {
  await proxy.close();
  for (const socket of sockets) socket.destroy();
  echo.close();
});

function echoPort(): number {
  return (echo.address() as { port: number }).port;
}

/** A client, what it has received so far and what ended it. */
async function dial(port = proxy.port) {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  const seen = { text: '', ended: false, error: '' };
  socket.on('data', (piece) => {
    seen.text += piece;
  });
  socket.on('end', () => {
    seen.ended = true;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    seen.error = error.code ?? '';
  });
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  const roundTrip = async (text: string) => {
    socket.write(text);
    await waitFor(() => seen.text.endsWith(text), { every: 2 });
  };
  return { socket, seen, roundTrip };
}

test('bytes and half-closed connections pass', async () => {
  const client = await dial();
  await client.roundTrip('hello');
  client.socket.end();
  await waitFor(() => client.seen.ended);
  expect(client.seen.text).toBe('hellobye');
  await waitFor(() => proxy.connections() === 0);
});

test('refuse: new connections are refused, old ones go on, accept takes the same port again', async () => {
  const old = await dial();
  await old.roundTrip('a');
  await proxy.refuse();
  expect((await dial()).seen.error).toBe('ECONNREFUSED');
  await old.roundTrip('b');
  await proxy.accept();
  await (await dial()).roundTrip('c');
});

test('cut: connections are reset, new ones are accepted', async () => {
  const client = await dial();
  await client.roundTrip('a');
  proxy.cut();
  await waitFor(() => client.seen.error === 'ECONNRESET');
  await waitFor(() => proxy.connections() === 0);
  await (await dial()).roundTrip('b');
});

test('freeze: connections stay open and silent; thaw delivers what was held back, in order', async () => {
  const client = await dial();
  await client.roundTrip('a');
  proxy.freeze();
  client.socket.write('held ');
  const late = await dial();
  late.socket.write('late');
  // Round trips to the same server past the proxy: time enough for the bytes, if they had passed.
  const direct = await dial(echoPort());
  for (let count = 0; count < 20; count++) await direct.roundTrip(`direct${count}`);
  expect(heard).not.toMatch(/held|late/);
  expect([client.seen, late.seen]).toMatchObject([
    { text: 'a', ended: false, error: '' },
    { text: '', ended: false, error: '' },
  ]);
  client.socket.write('back');
  proxy.thaw();
  await waitFor(() => client.seen.text === 'aheld back' && late.seen.text === 'late');
});

test('a peer that goes away behind a freeze is not noticed before the thaw', async () => {
  const client = await dial();
  await client.roundTrip('a');
  proxy.freeze();
  sockets.find((socket) => socket.localPort === echoPort())?.end();
  const direct = await dial(echoPort());
  await direct.roundTrip('direct');
  expect(client.seen.ended).toBe(false);
  proxy.thaw();
  await waitFor(() => client.seen.ended);
});

test('delay: both directions are slow until it is set to 0', async () => {
  const client = await dial();
  proxy.delay(60);
  const began = performance.now();
  await client.roundTrip('slow');
  // Timers may fire up to a millisecond early.
  expect(performance.now() - began).toBeGreaterThan(118);
  client.socket.end();
  await waitFor(() => client.seen.ended);
  expect(client.seen.text).toBe('slowbye');
  proxy.delay(0);
  await (await dial()).roundTrip('fast');
});

test('close: connections are reset, frozen or not, and new ones are refused', async () => {
  const client = await dial();
  proxy.freeze();
  client.socket.write('x');
  await proxy.close();
  await waitFor(() => client.seen.error === 'ECONNRESET');
  expect((await dial()).seen.error).toBe('ECONNREFUSED');
});

test('an unreachable target ends the connection', async () => {
  const nobody = await startFaultProxy({ host: '127.0.0.1', port: 1 });
  const client = await dial(nobody.port);
  await waitFor(() => client.seen.error || client.seen.ended);
  await nobody.close();
});
