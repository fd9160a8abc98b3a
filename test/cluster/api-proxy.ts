import { readFile, writeFile } from 'node:fs/promises';
import { type ClientRequest, type IncomingMessage, request as plainRequest, type ServerResponse } from 'node:http';
import { Agent, createServer, request as secureRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAuthority } from './certificates.ts';

/** One request to the API server, as it came to the proxy. */
export interface ApiRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly watch: boolean;
  /** 0 for the first one. */
  readonly index: number;
}

/** What happens to one request. */
export type Fault =
  /** The proxy answers it, and the server never sees it; a text is sent as it is, anything else as JSON. */
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown }
  /** `run` comes first; it is forwarded then, unless the client has gone by the end of `run`. */
  | { readonly kind: 'before'; readonly run: () => void | Promise<void> }
  /** The server has answered, `run` comes, and then the answer is passed on if the client is there. Of a watch, only the head is waited for. */
  | { readonly kind: 'after'; readonly run: () => void | Promise<void> }
  /** The connection is reset: before the server sees the request, or after it answered. */
  | { readonly kind: 'drop'; readonly when: 'before' | 'after' }
  /** It is forwarded so much later. */
  | { readonly kind: 'delay'; readonly milliseconds: number }
  /** The body of the answer is replaced: as a whole, and of a watch line by line, where an empty text leaves the line out. */
  | { readonly kind: 'edit'; readonly body: (text: string) => string };

/** An HTTPS proxy on loopback that sees each request to the API server and can make it fail in the ways only a server can. */
export interface ApiProxy {
  readonly url: string;
  /** All that came so far, oldest first. */
  readonly requests: readonly ApiRequest[];
  /** Asked about every request from now on; undefined passes it on. */
  fault(rule: ((request: ApiRequest) => Fault | undefined) | undefined): void;
  /** The path of a kubeconfig like the original, which must hold a bearer token, that points here and trusts this proxy. */
  kubeconfig(original: string): Promise<string>;
  /** Stops listening and resets all connections. */
  close(): Promise<void>;
}

/** Where requests go to. */
export interface ApiProxyTarget {
  /** Address of the API server; a plain http one does too. */
  readonly url: string;
  /** Its authority; absent for http. */
  readonly caFile?: string;
}

/** Of one connection, never of a request (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade', 'te', 'trailer']);

/** In which the end of a client that is gone arrives here: it crosses only the loopback and a few turns of the loop. */
const END_MILLISECONDS = 20;

/** Starts a proxy to the API server on a free port of 127.0.0.1; it breaks nothing until told to. Bearer tokens pass, client certificates cannot. */
export async function startApiProxy(target: ApiProxyTarget): Promise<ApiProxy> {
  const authority = createAuthority('api-proxy-test-ca');
  const requests: ApiRequest[] = [];
  // An idle connection is given up long before the API server does so, which could meet a request half-way.
  const agent = new Agent({ ...(target.caFile ? { ca: await readFile(target.caFile) } : {}), keepAlive: true, timeout: 30_000 });
  const raws = new Map<number, Socket>();
  let rule: ((request: ApiRequest) => Fault | undefined) | undefined;
  const send = (request: IncomingMessage): ClientRequest => {
    const passes = (name: string) => name === 'transfer-encoding' || (!HOP_BY_HOP.has(name) && name !== 'host');
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => passes(name)));
    const url = new URL(request.url ?? '/', target.url);
    const options = { method: request.method, headers };
    return url.protocol === 'http:' ? plainRequest(url, options) : secureRequest(url, { ...options, agent });
  };
  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = 'GET', url: path = '/' } = request;
    const seen = { method, path, watch: /[?&]watch=(true|1)(&|$)/.test(path), index: requests.length };
    requests.push(seen);
    const exchange = { seen, request, response, send, reset: () => reset(raws.get(request.socket.remotePort ?? 0), response) };
    try {
      await carry(exchange, rule?.(seen));
    } catch {
      exchange.reset();
    }
  };
  const server = createServer(authority.server(['localhost'], ['127.0.0.1']), (request, response) => void serve(request, response));
  server.keepAliveTimeout = 0;
  server.requestTimeout = 0;
  server.on('connection', (socket: Socket) => {
    const { remotePort = 0 } = socket;
    socket.setNoDelay(true);
    raws.set(remotePort, socket);
    // A later connection may have taken the port by then.
    socket.once('close', () => raws.get(remotePort) === socket && raws.delete(remotePort));
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  let written = 0;
  return {
    url,
    requests,
    fault: (next) => {
      rule = next;
    },
    kubeconfig: async (original) => {
      const config = JSON.parse(await readFile(original, 'utf8')) as StoredKubeconfig;
      if (!config.users.every(({ user }) => user.token)) throw new Error(`${original}: only a bearer token passes a proxy`);
      const cluster = { server: url, 'certificate-authority-data': Buffer.from(authority.cert).toString('base64') };
      written += 1;
      const file = `${original}-by-${new URL(url).port}-${written}`;
      const clusters = config.clusters.map(({ name }) => ({ name, cluster }));
      await writeFile(file, JSON.stringify({ ...config, clusters }), { mode: 0o600 });
      return file;
    },
    close: async () => {
      // Its callback comes only when the last connection is gone; the port is free at once.
      server.close();
      for (const socket of raws.values()) socket.resetAndDestroy();
      agent.destroy();
    },
  };
}

interface StoredKubeconfig {
  readonly clusters: readonly { readonly name: string }[];
  readonly users: readonly { readonly user: { readonly token?: string } }[];
}

interface Exchange {
  readonly seen: ApiRequest;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly send: (request: IncomingMessage) => ClientRequest;
  readonly reset: () => void;
}

async function carry(exchange: Exchange, fault: Fault | undefined): Promise<void> {
  const { request, response, reset, seen } = exchange;
  switch (fault?.kind) {
    case 'answer':
      return answer(exchange, fault);
    case 'before':
      await fault.run();
      await sleep(END_MILLISECONDS);
      if (response.destroyed || request.socket.destroyed) return;
      return pass(exchange, await forward(exchange));
    case 'after': {
      const upstream = await forward(exchange, true);
      const body = seen.watch ? undefined : await textOf(upstream);
      await fault.run();
      if (body === undefined) return pass(exchange, upstream);
      head(response, upstream);
      return void response.end(body);
    }
    case 'drop':
      if (fault.when === 'after') {
        const upstream = await forward(exchange, true);
        if (seen.watch) upstream.destroy();
        else await textOf(upstream);
      }
      return reset();
    case 'delay':
      await sleep(fault.milliseconds);
      return pass(exchange, await forward(exchange));
    case 'edit':
      return edit(exchange, await forward(exchange), fault.body);
    default:
      return pass(exchange, await forward(exchange));
  }
}

/** Sends the request on and resolves with the head of the answer. Where the client goes the request is given up, unless it is to be `kept`. */
async function forward({ request, response, send }: Exchange, kept = false): Promise<IncomingMessage> {
  const upstream = send(request);
  if (!kept) response.once('close', () => upstream.destroy());
  const answered = new Promise<IncomingMessage>((resolve, reject) => upstream.once('response', resolve).on('error', reject));
  request.pipe(upstream);
  return answered;
}

function head(response: ServerResponse, upstream: IncomingMessage, without: readonly string[] = []): void {
  const headers = Object.entries(upstream.headers).filter(([name]) => !HOP_BY_HOP.has(name) && !without.includes(name));
  response.writeHead(upstream.statusCode ?? 502, Object.fromEntries(headers));
  // The head of a watch comes long before its first event.
  response.flushHeaders();
}

function pass({ response }: Exchange, upstream: IncomingMessage): Promise<void> {
  head(response, upstream);
  return pipeline(upstream, response);
}

async function edit({ response, seen }: Exchange, upstream: IncomingMessage, change: (text: string) => string): Promise<void> {
  head(response, upstream, ['content-length']);
  if (!seen.watch) return void response.end(change(await textOf(upstream)));
  await pipeline(
    upstream,
    async function* (pieces: AsyncIterable<Buffer>) {
      let rest = '';
      for await (const piece of pieces) {
        const lines = (rest + piece.toString('latin1')).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) {
          const edited = change(Buffer.from(line, 'latin1').toString());
          if (edited !== '') yield `${edited}\n`;
        }
      }
    },
    response,
  );
}

async function answer({ request, response }: Exchange, fault: Fault & { kind: 'answer' }): Promise<void> {
  // A body that nobody reads would be taken for the next request.
  request.resume();
  const text = typeof fault.body === 'string' ? fault.body : fault.body === undefined ? '' : JSON.stringify(fault.body);
  response.writeHead(fault.status, { 'content-type': 'application/json', ...fault.headers }).end(text);
}

/** A TLS socket cannot be reset, the TCP socket below it can. */
function reset(raw: Socket | undefined, response: ServerResponse): void {
  raw?.resetAndDestroy();
  response.destroy();
}
