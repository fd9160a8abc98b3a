import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';

/** One part of the operator that can be unready, and why. */
export interface Part {
  readonly name: string;
  readonly ready: boolean;
  /** What it waits for; of one that is ready what is worth knowing, usually nothing. */
  readonly message: string;
}

/** What the health server asks the operator. */
export interface HealthQuestions {
  readonly parts: () => readonly Part[];
  /** For the body of seed 003's `/ready`. */
  readonly connections: () => { readonly centralServer: boolean; readonly kubernetes: boolean };
  readonly registry: Registry;
  /** Brings gauges up to date; called before each answer of `/metrics`. */
  readonly measure: () => void;
}

/**
 * Serves `/healthz` and `/readyz` (text for people, 503 naming the part that is not ready), `/metrics` (Prometheus), and the bodies of
 * seed 003's `/health` and `/ready` (optimizer.md section 2.5).
 */
export class HealthServer {
  readonly #questions: HealthQuestions;
  readonly #startedAt = performance.now();
  #server: Server | undefined;

  constructor(questions: HealthQuestions) {
    this.#questions = questions;
  }

  /** Listens on the port, 0 for a free one; returns the port. Throws when it is taken. */
  async listen(port: number): Promise<number> {
    const server = createServer((request, response) => {
      const [path = '/'] = (request.url ?? '/').split('?');
      const failed = (error: unknown) => text(500, `${error instanceof Error ? error.message : String(error)}\n`);
      void this.#answer(path)
        .catch(failed)
        .then(({ status, type, body }) => {
          response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
        });
    });
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(port, resolve);
    await promise;
    this.#server = server;
    return (server.address() as AddressInfo).port;
  }

  /** Stops listening and ends open connections. */
  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    server.close(() => resolve());
    server.closeAllConnections();
    await promise;
  }

  async #answer(path: string): Promise<{ status: number; type: string; body: string }> {
    if (path === '/healthz') return text(200, 'ok\n');
    if (path === '/readyz') return this.#readyz();
    if (path === '/metrics') return this.#metrics();
    if (path === '/health')
      return json(200, { status: 'healthy', uptime_seconds: Math.round((performance.now() - this.#startedAt) / 1000) });
    if (path === '/ready') return this.#ready();
    return text(404, 'not found; there are /healthz, /readyz, /metrics, /health and /ready\n');
  }

  async #metrics(): Promise<{ status: number; type: string; body: string }> {
    const { measure, registry } = this.#questions;
    measure();
    return { status: 200, type: registry.contentType, body: await registry.metrics() };
  }

  #readyz(): { status: number; type: string; body: string } {
    const parts = this.#questions.parts();
    const lines = parts.map((part) => `[${part.ready ? '+' : '-'}] ${part.name}: ${part.message || 'ready'}\n`);
    return text(parts.every((part) => part.ready) ? 200 : 503, lines.join(''));
  }

  #ready(): { status: number; type: string; body: string } {
    const ready = this.#questions.parts().every((part) => part.ready);
    const { centralServer, kubernetes } = this.#questions.connections();
    return json(ready ? 200 : 503, { ready, central_server_connected: centralServer, k8s_api_connected: kubernetes });
  }
}

function text(status: number, body: string) {
  return { status, type: 'text/plain; charset=utf-8', body };
}

function json(status: number, body: unknown) {
  return { status, type: 'application/json', body: JSON.stringify(body) };
}
