import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A TCP proxy whose connections can die without anyone being told, as behind a router that forgot them; new ones work. */
export interface BlackHole {
  readonly url: string;
  /** From now on nothing passes on the connections that are there, nor is their end told. */
  swallow(): void;
  close(): Promise<void>;
}

/** Starts such a proxy in front of a port of this machine. */
export async function startBlackHole(port: number): Promise<BlackHole> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    for (const [from, to] of [[client, upstream] as const, [upstream, client] as const]) {
      sockets.add(from);
      from.on('data', (piece) => to.write(piece));
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    swallow: () => {
      for (const socket of sockets) {
        socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('error');
        socket.on('error', () => {});
        socket.resume();
      }
    },
    close: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
