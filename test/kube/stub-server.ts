import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import type { KubeClient } from '../../operator/kube/client.ts';
import { clientOfConfig } from './clients.ts';

/** A call as the server got it. */
export interface Heard {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A server that answers as a test says, and a client of it: for what a real API server cannot be made to say. */
export interface Stub {
  readonly client: KubeClient;
  readonly url: string;
  readonly heard: readonly Heard[];
  close(): void;
}

/** Starts the server on loopback; both are closed after the test. */
export async function startStub(answer: (call: Heard, response: ServerResponse) => void, timeout?: number): Promise<Stub> {
  const heard: Heard[] = [];
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://stub');
      const { method = '', headers } = request;
      const call = { method, headers, body, path: pathname, query: Object.fromEntries(searchParams) };
      heard.push(call);
      answer(call, response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(close);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, heard, close, client: clientOfConfig(plainConfig(url), timeout) };
}

/** A kubeconfig without any credentials. */
export function plainConfig(server: string): string {
  return JSON.stringify({
    clusters: [{ name: 'stub', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'stub', context: { cluster: 'stub', user: 'nobody' } }],
    'current-context': 'stub',
  });
}

/** Answers with a JSON body. */
export function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
