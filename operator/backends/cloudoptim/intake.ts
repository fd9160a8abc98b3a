import { Backoff, type BackoffSettings } from '../../lib/backoff.ts';
import type { Seconds } from '../../lib/next.ts';
import { BackendError, type Task } from '../backend.ts';
import { Channel } from '../transport/channel.ts';
import type { Credential } from '../transport/credential.ts';
import { pause } from '../transport/pause.ts';
import { ReconnectingSocket, type SocketSettings } from '../transport/websocket.ts';
import { readFrame } from './frames.ts';
import { type Line, refusal } from './line.ts';
import { type ReadItem, readItem } from './task.ts';
import { findItems } from './wire.ts';

/** What the intake needs to know. */
export interface IntakeSettings {
  readonly clusterID: string;
  readonly credential: Credential;
  /** Time between the end of one poll and the start of the next. */
  readonly poll: Seconds;
  /** Path and query of the poll. */
  readonly pollPath: string;
  /** The wait after 401 and 403; a new key ends it. */
  readonly refusedRetry: Seconds;
  readonly backoff: BackoffSettings;
  readonly socket: SocketSettings;
}

/** Tasks that are read but not yet taken by the reader; then polls wait and sockets are not read. */
const capacity = 1000;

/** Polls and listens to the stream at once, for one reader at a time. */
export class Intake {
  readonly #settings: IntakeSettings;
  readonly #line: Line;
  readonly #channel = new Channel<Task>(capacity);

  constructor(settings: IntakeSettings, line: Line) {
    this.#settings = settings;
    this.#line = line;
  }

  /** Tasks of both channels as they come, until the signal ends it; never throws. */
  async *tasks(signal: AbortSignal): AsyncGenerator<Task, void, undefined> {
    if (signal.aborted) return;
    const own = new AbortController();
    const stop = () => own.abort();
    signal.addEventListener('abort', stop, { once: true });
    own.signal.addEventListener('abort', () => this.#channel.end(), { once: true });
    const running = Promise.all([this.#poll(own.signal), this.#listen(own.signal)]);
    try {
      yield* this.#channel;
    } finally {
      // Also when the reader leaves its loop early.
      stop();
      signal.removeEventListener('abort', stop);
      await running;
    }
  }

  async #poll(signal: AbortSignal): Promise<void> {
    const { credential, poll, refusedRetry } = this.#settings;
    const backoff = new Backoff(this.#settings.backoff);
    while (!signal.aborted) {
      let wait = poll;
      const { version } = credential;
      try {
        const items = await this.#fetch(signal);
        backoff.reset();
        await this.#take(items, 'a poll');
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof BackendError))
          this.#line.observe({ kind: 'malformed', message: `a poll could not be read: ${String(error)}` });
        wait = waitAfter(error, refusedRetry) ?? backoff.next();
      }
      // A key that came during the call deserves its own try at once.
      if (credential.version === version) await pause(wait, signal, credential);
    }
  }

  async #fetch(signal: AbortSignal): Promise<readonly unknown[]> {
    const { pollPath } = this.#settings;
    const answer = await this.#line.request({ method: 'GET', path: pollPath, signal });
    if (answer.status >= 300) throw refusal(pollPath.replace(/\?.*/, ''), answer);
    if (answer.notJSON) throw this.#unusable('is not JSON', answer.status);
    // An empty body and null mean that there is nothing to do (optimizer.md 1).
    if (answer.json === undefined || answer.json === null) return [];
    const items = findItems(answer.json);
    if (items === undefined) throw this.#unusable('holds no list of tasks', answer.status);
    return items;
  }

  #unusable(why: string, status: number): BackendError {
    const message = `The answer to a poll ${why}`;
    this.#line.observe({ kind: 'malformed', message });
    return new BackendError(message, { status });
  }

  /** Hands the tasks on and tells in one event what could not be used: a list of nonsense must not become a flood. */
  async #take(items: readonly unknown[], source: string): Promise<void> {
    const notes: string[] = [];
    for (const item of items) {
      const { task, note } = this.#read(item);
      if (note !== undefined) notes.push(note);
      if (task !== undefined) await this.#channel.push(task);
    }
    if (notes.length === 0) return;
    const more = notes.length > 3 ? ` and ${notes.length - 3} more` : '';
    this.#line.observe({ kind: 'malformed', message: `In ${source}: ${notes.slice(0, 3).join('; ')}${more}` });
  }

  #read(item: unknown): ReadItem {
    return readItem(item, this.#settings.clusterID);
  }

  #listen(signal: AbortSignal): Promise<void> {
    const { observe } = this.#line;
    let known: boolean | undefined;
    let reason = '';
    const tell = (open: boolean, message = '') => {
      // A change is news; the tenth failed attempt for the same reason is not.
      if (known === open && reason === message) return;
      known = open;
      reason = message;
      observe(open ? { kind: 'streaming', open } : { kind: 'streaming', open, message });
    };
    const socket = new ReconnectingSocket(this.#settings.socket, {
      opened: () => tell(true),
      closed: (why) => tell(false, why),
      text: (message) => this.#receive(message, socket),
    });
    return socket.run(signal);
  }

  #receive(text: string, socket: ReconnectingSocket): Promise<void> | undefined {
    const frame = readFrame(text);
    switch (frame.kind) {
      case 'items':
        return this.#take(frame.items, 'a frame');
      case 'ping':
        socket.send('{"type":"pong"}');
        return undefined;
      case 'malformed':
        this.#line.observe({ kind: 'malformed', message: frame.message });
        return undefined;
      case 'ignored':
        return undefined;
    }
  }
}

/** Where the wait is not the backoff's: Retry-After, 401, 403. */
function waitAfter(error: unknown, refusedRetry: Seconds): Seconds | undefined {
  if (!(error instanceof BackendError)) return undefined;
  if (error.retryAfter !== undefined) return error.retryAfter;
  return error.status === 401 || error.status === 403 ? refusedRetry : undefined;
}
