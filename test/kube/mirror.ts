import { onTestFinished } from 'vitest';
import type { KubeClient } from '../../operator/kube/client.ts';
import type { KubeObject } from '../../operator/kube/object.ts';
import { Reflector, type ReflectorEvent, type ReflectorOptions } from '../../operator/kube/reflector.ts';
import { CONFIG_MAPS } from '../../operator/kube/resources.ts';
import { Store } from '../../operator/kube/store.ts';
import type { JsonObject } from '../../operator/lib/json.ts';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import { waitFor } from '../cluster/wait-for.ts';

/** What the mirror keeps of a ConfigMap. */
export interface Kept {
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly value: string;
}

/** A reflector of the ConfigMaps of a namespace, with all it said. */
export interface Mirror {
  readonly store: Store<Kept>;
  readonly events: readonly ReflectorEvent[];
  /** What the store told: `+name=value`, `~name=value`, `-name`. */
  readonly changes: readonly string[];
  readonly reflector: Reflector<Kept>;
  /** The values by name, but for the ConfigMap that every namespace has. */
  content(): Record<string, string>;
  /** The reasons of all events of a kind. */
  reasons(kind: ReflectorEvent['kind']): string[];
  stop(): Promise<void>;
}

/** Starts a mirror; it is stopped after the test. */
export function mirror(client: KubeClient, namespace: string, more: Partial<ReflectorOptions<Kept>> = {}): Mirror {
  const store = new Store<Kept>((kept) => kept);
  const events: ReflectorEvent[] = [];
  const changes: string[] = [];
  store.onChange((before, after) => {
    if (after && !isOfNamespace(after)) changes.push(`${before ? '~' : '+'}${after.key}=${after.value}`);
    if (!after && before) changes.push(`-${before.key}`);
  });
  const observe = (event: ReflectorEvent) => events.push(event);
  const reflector = new Reflector({ client, resource: CONFIG_MAPS, namespace, project, store, silenceSeconds: 100, observe, ...more });
  const stopping = new AbortController();
  const running = reflector.run(stopping.signal);
  const stop = async () => {
    stopping.abort(new Error('the test is over'));
    await running;
  };
  onTestFinished(stop);
  return {
    store,
    events,
    changes,
    reflector,
    content: () => Object.fromEntries([...store.values()].filter((kept) => !isOfNamespace(kept)).map(({ key, value }) => [key, value])),
    reasons: (kind) => events.flatMap((event) => (event.kind === kind && 'reason' in event ? [event.reason] : [])),
    stop,
  };
}

/** Reads a ConfigMap with the key `value`. */
export function project(raw: JsonObject): Kept {
  const { metadata, data } = raw as unknown as KubeObject & { data?: Record<string, string> };
  return { key: metadata.name, uid: metadata.uid, resourceVersion: metadata.resourceVersion, value: data?.value ?? '' };
}

function isOfNamespace(kept: Kept): boolean {
  return kept.key === 'kube-root-ca.crt';
}

/** Writes ConfigMaps of one namespace, as somebody else would. */
export function writer(cp: Pick<ControlPlaneAccess, 'api'>, namespace: string) {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  return {
    create: (name: string, value = '1') => cp.api.create<KubeObject>(path, { metadata: { name }, data: { value } }),
    update: (name: string, value: string) => cp.api.patch<KubeObject>(`${path}/${name}`, { data: { value } }),
    remove: (name: string) => cp.api.remove(`${path}/${name}`),
    /** The values by name, as the API server has them. */
    truth: async () => {
      const { items } = await cp.api.get<{ items: { metadata: { name: string }; data: Record<string, string> }[] }>(path);
      const own = items.filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt');
      return Object.fromEntries(own.map(({ metadata, data }) => [metadata.name, data.value ?? '']));
    },
  };
}

/** Resolves when the mirror shows exactly these values. */
export async function shows(mirrored: Mirror, expected: Record<string, string>, within = 20_000): Promise<void> {
  const text = JSON.stringify(Object.entries(expected).sort());
  const seen = () => JSON.stringify(Object.entries(mirrored.content()).sort());
  await waitFor(() => seen() === text, { within, what: `the mirror shows ${text.slice(0, 200)}` });
}
