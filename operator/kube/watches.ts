import type { JsonObject } from '../lib/json.ts';
import type { Seconds } from '../lib/next.ts';
import type { KubeClient } from './client.ts';
import type { Resource } from './object.ts';
import { Reflector, type ReflectorEvent } from './reflector.ts';
import type { Store } from './store.ts';

/** What may be missing is looked for now and then only: an idle operator is silent. */
const ABSENT_PAUSE: Seconds = 15;

/** What is watched and where it goes. */
export interface WatchRequest<T> {
  readonly resource: Resource;
  readonly namespace?: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /** True: it may be missing from this cluster, or the right to it; as long as that is so, it counts as no fault. Default false. */
  readonly optional?: boolean;
  /** Undefined leaves the object out. */
  readonly project: (raw: JsonObject) => T | undefined;
  readonly store: Store<T>;
}

interface Connected {
  readonly connected: boolean;
  readonly absent: boolean;
  readonly problem: string;
  readonly silentFor: Seconds;
}

/** How the watches of one resource do. */
export interface WatchHealth {
  readonly resource: Resource;
  /** Whether all of them stand. */
  readonly connected: boolean;
  /** Of the one that has been silent longest. */
  readonly silentFor: Seconds;
}

/** All watches of one process: started together, judged together, ended together. */
export class Watches {
  readonly #client: KubeClient;
  readonly #silenceSeconds: number;
  readonly #observe: (resource: Resource, event: ReflectorEvent) => void;
  readonly #running: {
    readonly resource: Resource;
    readonly optional: boolean;
    readonly reflector: Connected;
    readonly loop: Promise<void>;
  }[] = [];
  readonly #stop = new AbortController();

  constructor(client: KubeClient, silenceSeconds: number, observe: (resource: Resource, event: ReflectorEvent) => void) {
    this.#client = client;
    this.#silenceSeconds = silenceSeconds;
    this.#observe = observe;
  }

  /** Starts one watch; resolves when its store holds the whole collection. */
  start<T>(request: WatchRequest<T>): Promise<void> {
    const { resource, optional = false } = request;
    const reflector = new Reflector({
      ...request,
      project: request.project,
      client: this.#client,
      silenceSeconds: this.#silenceSeconds,
      ...(optional ? { absentPause: ABSENT_PAUSE } : {}),
      observe: (event) => this.#observe(resource, event),
    });
    this.#running.push({ resource, optional, reflector, loop: reflector.run(this.#stop.signal) });
    return reflector.synced;
  }

  /** The watches that do not stand now, one text each: the resource and why. */
  get broken(): readonly string[] {
    const down = this.#running.filter(({ reflector, optional }) => !reflector.connected && !(optional && reflector.absent));
    return [...new Set(down.map((each) => `${each.resource.plural} (${each.reflector.problem || 'not listed yet'})`))];
  }

  /** How each resource is watched now. */
  get health(): readonly WatchHealth[] {
    const byResource = new Map<Resource, WatchHealth>();
    for (const { resource, reflector } of this.#running) {
      const { connected = true, silentFor = 0 } = byResource.get(resource) ?? {};
      byResource.set(resource, {
        resource,
        connected: connected && reflector.connected,
        silentFor: Math.max(silentFor, reflector.silentFor),
      });
    }
    return [...byResource.values()];
  }

  /** Ends all watches. */
  async close(): Promise<void> {
    this.#stop.abort(new Error('the operator is stopping'));
    await Promise.all(this.#running.map((each) => each.loop));
  }
}
