import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

// Below the range from which the systems take the source ports of outgoing connections (32768 and up on Linux, 49152 on macOS). A port in that
// range could be taken by any client between our look and the server's start, or while the API server is stopped; a client that keeps
// dialling such a stopped port can even end up connected to itself.
const FIRST = 20_000;
const LAST = 32_000;
const TRIES = 100;

/** A TCP port on 127.0.0.1 on which nobody listens; throws when none of a hundred tries was free. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(FIRST, LAST);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found on 127.0.0.1 between ${FIRST} and ${LAST}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
