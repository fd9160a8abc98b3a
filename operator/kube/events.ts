import { createHash } from 'node:crypto';
import { formatSeconds } from '../lib/time.ts';
import type { KubeClient } from './client.ts';
import { isStatus } from './error.ts';
import type { KubeObject } from './object.ts';
import { EVENTS } from './resources.ts';

/** Events wait here while the API server is slow or away; beyond it the newest are dropped, because Events are only hints. */
const MAX_PENDING = 256;
/** The API server's limit for `message`. */
const MAX_MESSAGE = 1024;

/** What an Event says. */
export interface EventNote {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase. */
  readonly reason: string;
  readonly message: string;
}

/**
 * Writes core/v1 Events one after another behind the caller's back. The name is made from what the Event says, so that the same thing said
 * again, even after a restart, is one Event and not a flood.
 */
export class EventRecorder {
  readonly #client: KubeClient;
  readonly #instance: string;
  readonly #onLost: (reason: string) => void;
  readonly #pending: { object: KubeObject<unknown, unknown>; note: EventNote; at: Date }[] = [];
  #writing: Promise<void> | undefined;

  /** `instance` is the reporting instance, the pod's name; `onLost` hears of Events that could not be written. */
  constructor(client: KubeClient, instance: string, onLost: (reason: string) => void) {
    this.#client = client;
    this.#instance = instance;
    this.#onLost = onLost;
  }

  /** Records an Event about the object; returns at once. */
  record(object: KubeObject<unknown, unknown>, note: EventNote): void {
    if (this.#pending.length >= MAX_PENDING) {
      this.#onLost('too many Events wait to be written');
      return;
    }
    this.#pending.push({ object, note, at: new Date() });
    this.#writing ??= this.#drain();
  }

  /** Resolves when all recorded Events were written or given up. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  async #drain(): Promise<void> {
    for (let next = this.#pending.shift(); next; next = this.#pending.shift()) {
      try {
        await this.#write(next.object, next.note, next.at);
      } catch (error) {
        if (!isStatus(error, 409)) this.#onLost(error instanceof Error ? error.message : String(error));
      }
    }
    this.#writing = undefined;
  }

  async #write(object: KubeObject<unknown, unknown>, note: EventNote, at: Date): Promise<void> {
    const { name, namespace = 'default', uid, resourceVersion } = object.metadata;
    const time = formatSeconds(at);
    const message = note.message.slice(0, MAX_MESSAGE);
    const digest = createHash('sha256').update([uid, note.reason, message].join('\n')).digest('hex').slice(0, 16);
    await this.#client.create(
      EVENTS,
      namespace,
      {
        apiVersion: 'v1',
        kind: 'Event',
        // Cut where a name may end.
        metadata: { name: `${name.slice(0, 200).replace(/[-.]+$/, '')}.${digest}`, namespace },
        involvedObject: {
          apiVersion: object.apiVersion,
          kind: object.kind,
          namespace: object.metadata.namespace,
          name,
          uid,
          resourceVersion,
        },
        type: note.type,
        reason: note.reason,
        message,
        source: { component: 'cloudoptim-operator' },
        reportingComponent: 'cloudoptim.io/operator',
        reportingInstance: this.#instance,
        firstTimestamp: time,
        lastTimestamp: time,
        count: 1,
      },
      AbortSignal.timeout(10_000),
    );
  }
}
