import type { JsonObject } from '../lib/json.ts';
import type { Topic } from '../lib/next.ts';
import { orAborted } from '../lib/wait.ts';
import type { Bus } from './bus.ts';
import type { ObjectMeta, Resource } from './object.ts';
import { CONFIG_MAPS, SECRETS } from './resources.ts';
import { Store } from './store.ts';
import type { Watches } from './watches.ts';

interface NamedData {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly data: Readonly<Record<string, string>>;
}

/** Changes when the Secret or ConfigMap of this name in the operator's namespace does. */
export function dataTopic(resource: Resource, name: string): Topic {
  return `${resource.plural}/${name}`;
}

/**
 * Secrets and ConfigMaps of the operator's own namespace that something refers to by name, each watched alone so that no other Secret is ever
 * read (seed 003: its own key and nothing else). Rotation arrives by the watch.
 */
export class NamedDataWatch {
  readonly #watches: Watches;
  readonly #namespace: string;
  readonly #bus: Bus;
  readonly #known = new Map<Topic, { readonly store: Store<NamedData>; readonly synced: Promise<void> }>();

  constructor(watches: Watches, namespace: string, bus: Bus) {
    this.#watches = watches;
    this.#namespace = namespace;
    this.#bus = bus;
  }

  /** The decoded keys of a Secret, or undefined where there is none; the first call starts the watch and waits for it. */
  async secret(name: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> {
    return this.#read(SECRETS, name, signal);
  }

  /** The keys of a ConfigMap, or undefined where there is none; the first call starts the watch and waits for it. */
  async configMap(name: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> {
    return this.#read(CONFIG_MAPS, name, signal);
  }

  async #read(resource: Resource, name: string, signal: AbortSignal): Promise<Readonly<Record<string, string>> | undefined> {
    const topic = dataTopic(resource, name);
    let entry = this.#known.get(topic);
    if (!entry) {
      const store = new Store<NamedData>(({ name: key, uid, resourceVersion }) => ({ key, uid, resourceVersion }));
      store.onChange(() => this.#bus.publish(topic));
      const project = resource === SECRETS ? projectSecret : projectConfigMap;
      const fieldSelector = `metadata.name=${name}`;
      entry = { store, synced: this.#watches.start({ resource, namespace: this.#namespace, fieldSelector, project, store }) };
      this.#known.set(topic, entry);
    }
    await orAborted(entry.synced, signal);
    return entry.store.get(name)?.data;
  }
}

function projectConfigMap(raw: JsonObject): NamedData {
  const { name, uid, resourceVersion } = raw.metadata as unknown as ObjectMeta;
  return { name, uid, resourceVersion, data: (raw.data ?? {}) as Record<string, string> };
}

function projectSecret(raw: JsonObject): NamedData {
  const encoded = projectConfigMap(raw);
  const data = Object.fromEntries(
    Object.entries(encoded.data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8').trim()]),
  );
  return { ...encoded, data };
}
