import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP proxy on loopback that can be made to fail in the ways a network does; bytes pass unread, so TLS stays end to end. */
export interface FaultProxy {
  readonly port: number;
  /** The https address to use in place of the target's. */
  readonly url: string;
  /** Stops listening, so that new connections are refused; those that are there go on. */
  refuse(): Promise<void>;
  /** Listens again on the same port. */
  accept(): Promise<void>;
  /** Resets all connections; new ones are still accepted. */
  cut(): void;
  /** Forwards no more bytes, nor the end of a connection, in either direction; connections are still accepted: a silent peer. */
  freeze(): void;
  /** Forwards again, and first what was held back. */
  thaw(): void;
  /** Forwards each piece that arrives from now on so many milliseconds later, in either direction; 0 ends it. */
  delay(milliseconds: number): void;
  /** How many connections are open. */
  connections(): number;
  /** Stops listening and resets all connections. */
  close(): Promise<void>;
}

interface Faults {
  frozen: boolean;
  delayMs: number;
  /** Called, once each, when the freeze ends. */
  thawed: Set<() => void>;
}

/** Starts a proxy to the target on a free port of 127.0.0.1; it breaks nothing until told to. */
export async function startFaultProxy(target: { host: string; port: number }): Promise<FaultProxy> {
  const faults: Faults = { frozen: false, delayMs: 0, thawed: new Set() };
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const upstream = connect({ ...target, allowHalfOpen: true });
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.setNoDelay(true);
      // Seen by whoever reads from it, which is one of the two below.
      socket.on('error', () => {});
      socket.once('close', () => client.destroyed && upstream.destroyed && pairs.delete(pair));
    }
    void forward(client, upstream, faults);
    void forward(upstream, client, faults);
  });
  await listen(server, 0);
  const { port } = server.address() as { port: number };
  const { freeze, thaw } = freezing(faults);
  const cut = () => {
    for (const sockets of pairs) for (const socket of sockets) socket.resetAndDestroy();
  };
  // Not waited for: the callback of close comes only when the last connection is gone, the port is free at once.
  const refuse = async () => void server.close();
  return {
    port,
    url: `https://127.0.0.1:${port}`,
    refuse,
    accept: () => (server.listening ? Promise.resolve() : listen(server, port)),
    cut,
    freeze,
    thaw,
    delay: (milliseconds) => {
      faults.delayMs = milliseconds;
    },
    connections: () => pairs.size,
    close: async () => {
      await refuse();
      cut();
      // Those who wait for it find their connections gone and end.
      thaw();
    },
  };
}

function freezing(faults: Faults): Pick<FaultProxy, 'freeze' | 'thaw'> {
  return {
    freeze: () => {
      faults.frozen = true;
    },
    thaw: () => {
      faults.frozen = false;
      for (const go of faults.thawed) go();
      faults.thawed.clear();
    },
  };
}

/** One direction of one connection; its end is passed on as an end, its failure as a reset. Pieces stay in order because the next is read only when the last was written. */
async function forward(from: Socket, to: Socket, faults: Faults): Promise<void> {
  try {
    // Not destroyed at its end, because the other direction may still be in use.
    for await (const piece of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      if (faults.delayMs > 0) await pause(faults.delayMs);
      await thawed(faults);
      if (to.destroyed) throw new Error('nobody is left to forward to');
      if (!to.write(piece)) await drained(to);
    }
    await thawed(faults);
    to.end();
  } catch {
    await thawed(faults);
    from.destroy();
    to.resetAndDestroy();
  }
}

async function thawed(faults: Faults): Promise<void> {
  while (faults.frozen) await new Promise<void>((resolve) => faults.thawed.add(resolve));
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('drain', resolve);
    socket.once('close', resolve);
  });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
