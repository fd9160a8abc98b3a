import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { describe } from './call.ts';
import type { KubeClient } from './client.ts';
import type { PodIdentity } from './cluster.ts';
import type { Credentials } from './credentials.ts';
import { ApiError, ApiUnreachable, isStatus } from './error.ts';
import { PortForwardStream, type PortTraffic } from './port-forward-stream.ts';
import { parseRefusal } from './refusal.ts';
import { objectPath, PODS } from './resources.ts';

/** The kubelet's own protocol, which every API server hands on; the newer tunnel would need SPDY inside the WebSocket. */
const PROTOCOL = 'v4.channel.k8s.io';
/** As long as the API server tries to reach a kubelet. */
const HANDSHAKE_MILLISECONDS = 30_000;
const MOST_REFUSAL_BYTES = 64 * 1024;
const MOST_MESSAGE_BYTES = 1024 * 1024;

const MISSING_RIGHT =
  'the operator may not get and create pods/portforward there: apply the Role cloudoptim-operator-vnc of config/rbac-vnc';

/** Opens connections to ports of pods through the API server; the operator needs no way into the pods' network. */
export class PortForwarder {
  readonly #credentials: Credentials;
  readonly #client: KubeClient;

  constructor(credentials: Credentials, client: KubeClient) {
    this.#credentials = credentials;
    this.#client = client;
  }

  /**
   * Opens one port of this incarnation of the pod; the signal ends it, also when it is open. Rejects with the name of the pod and the cause. That nobody
   * listens on the port in the pod is an error of the stream, which comes a moment later.
   */
  async open(pod: PodIdentity, port: number, signal: AbortSignal, traffic?: PortTraffic): Promise<Duplex> {
    const about = `port ${port} of pod ${pod.namespace}/${pod.name}`;
    await this.#check(pod, about, signal);
    const stream = await this.#connect(pod, port, about, signal, traffic);
    try {
      // A port-forward goes by name. UIDs never come back: the same one before and after means that it is the pod that is meant.
      await this.#check(pod, about, signal);
      if (stream.errored) throw stream.errored;
      return stream;
    } catch (error) {
      stream.destroy();
      throw error;
    }
  }

  async #check({ namespace, name, uid }: PodIdentity, about: string, signal: AbortSignal): Promise<void> {
    try {
      const { metadata } = await this.#client.get({ resource: PODS, namespace, name }, signal);
      if (metadata.uid !== uid) throw new Error(`${about}: the pod is another one now, ${metadata.uid} in place of ${uid}`);
    } catch (error) {
      if (isStatus(error, 404)) throw new Error(`${about}: the pod is gone`, { cause: error });
      throw error;
    }
  }

  async #connect(
    { namespace, name }: PodIdentity,
    port: number,
    about: string,
    signal: AbortSignal,
    traffic?: PortTraffic,
  ): Promise<Duplex> {
    const { headers, tls, agent } = await this.#credentials.current();
    signal.throwIfAborted();
    const path = objectPath({ resource: PODS, namespace, name }, 'portforward');
    const socket = new WebSocket(`${this.#credentials.server.replace(/^http/, 'ws')}${path}?ports=${port}`, PROTOCOL, {
      ...tls,
      ...(agent ? { agent } : {}),
      headers: { ...headers, 'user-agent': 'cloudoptim-operator' },
      handshakeTimeout: HANDSHAKE_MILLISECONDS,
      maxPayload: MOST_MESSAGE_BYTES,
      perMessageDeflate: false,
    });
    const stream = new PortForwardStream(socket, about, traffic);
    const abort = () => stream.destroy(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    stream.once('close', () => signal.removeEventListener('abort', abort));
    const opened = Promise.withResolvers<void>();
    socket.once('open', () => opened.resolve());
    socket.once('unexpected-response', (_, response) => {
      void this.#refusal(response, about).then((error) => {
        opened.reject(error);
        stream.destroy();
      });
    });
    socket.once('error', (error) => {
      opened.reject(signal.aborted ? signal.reason : new ApiUnreachable(`${about}: ${describe(error)}`, { cause: error }));
    });
    stream.once('close', () => opened.reject(signal.aborted ? signal.reason : stream.errored));
    await opened.promise;
    return stream;
  }

  async #refusal(response: IncomingMessage, about: string): Promise<ApiError> {
    const { statusCode: status = 0, headers } = response;
    if (status === 401) this.#credentials.expire();
    const { reason, message, causes, retryAfter } = parseRefusal(status, headers, await bodyOf(response));
    const facts = { status, reason, causes, ...(retryAfter === undefined ? {} : { retryAfter }) };
    // The API server does not say what is missing where it is the right to create.
    const said = status === 403 ? `${message.replace(/[: ]+$/, '')}; ${MISSING_RIGHT}` : message;
    return new ApiError({ ...facts, message: `${about}: ${said}` });
  }
}

/** What came of it, where it broke off too. */
async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      length += chunk.length;
      if (length >= MOST_REFUSAL_BYTES) break;
    }
  } catch {
    // The status says enough.
  }
  return Buffer.concat(chunks).toString();
}
