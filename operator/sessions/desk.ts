import { DELETE_HOME, INTENT, SESSION_FINALIZER, SESSIONS, type Session, type SessionOverride } from '../api/session.ts';
import type { IntentOutcome, SessionDesk, SessionIntent } from '../api/session-desk.ts';
import type { SessionRequest, SessionState } from '../api/session-spec.ts';
import type { KubeClient } from '../kube/client.ts';
import { isStatus } from '../kube/error.ts';
import type { ObjectRef } from '../kube/object.ts';
import { apiVersion } from '../kube/resources.ts';
import { withoutManagedFields } from '../kube/standing-watches.ts';
import { applyStatus, FIELD_MANAGER } from '../kube/status.ts';
import type { Store } from '../kube/store.ts';
import type { JsonObject } from '../lib/json.ts';
import { desiredOf } from './desired.ts';
import { formatIntent, judge, overruler } from './intent.ts';
import { identityOf } from './labels.ts';
import { OVERRIDE_MANAGER } from './override.ts';

/** The field manager of what session actions write into a Session. */
const INTENT_MANAGER = 'cloudoptim-session-actions';
/** A Session that others write between any two of our calls is not going to hold still. */
const MAX_TRIES = 5;

/** What the desk of the session actions works with. */
export interface DeskOptions {
  readonly client: KubeClient;
  /** The Sessions of the namespace, by `namespace/name`. */
  readonly store: Pick<Store<Session>, 'get' | 'put'>;
  readonly namespace: string;
  /** Why a session that is not active may not become so now. */
  readonly refusal: (name: string, request: SessionRequest | undefined) => string | undefined;
  /** Told that one is being asked to become active, before anybody else can ask. */
  readonly claim: (name: string, request: SessionRequest | undefined) => void;
}

/** Who owns which field, as the API server keeps it. */
interface Managed {
  readonly manager?: string;
  readonly subresource?: string;
  readonly fieldsV1?: { readonly 'f:spec'?: { readonly 'f:state'?: unknown } };
}

/**
 * The Sessions as session actions see them. Every write is taken only by the Session as it was read and judged, so that of two intents the same one
 * stands in the end whichever is written first.
 */
export class LiveSessionDesk implements SessionDesk {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  get namespace(): string {
    return this.#options.namespace;
  }

  get(name: string): Session | undefined {
    return this.#options.store.get(`${this.namespace}/${name}`);
  }

  async read(name: string, signal: AbortSignal): Promise<Session | undefined> {
    try {
      return (await this.#options.client.get(this.#ref(name), signal)) as unknown as Session;
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  desired(session: Session): SessionState {
    return desiredOf(session);
  }

  overruled(session: Session, intent: SessionIntent): string | undefined {
    return overruler(session, intent);
  }

  refusal(name: string, request: SessionRequest | undefined): string | undefined {
    return this.#options.refusal(name, request);
  }

  async intend(name: string, intent: SessionIntent, signal: AbortSignal): Promise<IntentOutcome> {
    if (intent.state === 'Running') this.#options.claim(name, intent.request);
    for (let tries = 1; ; tries++) {
      try {
        return await this.#intend(name, intent, signal);
      } catch (error) {
        // It has changed since it was read, or has been made by somebody else.
        if (!isStatus(error, 409) || tries === MAX_TRIES) throw error;
      }
    }
  }

  async #intend(name: string, intent: SessionIntent, signal: AbortSignal): Promise<IntentOutcome> {
    const session = await this.read(name, signal);
    if (!session) {
      if (!intent.request) return { kind: 'absent' };
      return { kind: 'recorded', session: await this.#make(name, intent, intent.request, signal), did: 'Create' };
    }
    const verdict = judge(session, intent);
    if (verdict.kind === 'superseded') return verdict;
    if (verdict.kind === 'replaced') return { kind: 'replaced', session };
    if (session.metadata.deletionTimestamp) return { kind: 'leaving', session };
    if (verdict.kind === 'stopped') return { kind: 'stopped', session };
    if (verdict.kind === 'recorded') return { kind: 'recorded', session: this.#keep(session), did: 'Nothing' };
    return { kind: 'recorded', session: await this.#write(session, intent, signal), did: 'Write' };
  }

  /** By a plain create, which is refused where there is one: an apply would write over it. */
  async #make(name: string, intent: SessionIntent, request: SessionRequest, signal: AbortSignal): Promise<Session> {
    const metadata = { name, namespace: this.namespace };
    const { labels, annotations } = identityOf({ metadata, spec: request });
    const body: JsonObject = {
      apiVersion: apiVersion(SESSIONS),
      kind: SESSIONS.kind,
      metadata: { ...metadata, labels, annotations: { ...annotations, ...annotationsOf(intent) }, finalizers: [SESSION_FINALIZER] },
      // A request is JSON that the API server has taken before.
      spec: { state: intent.state, ...(request as JsonObject) },
    };
    return this.#keep(await this.#options.client.create(SESSIONS, this.namespace, body, signal));
  }

  /** The override first: the annotation says that the intent stands, and a crash between the two must leave it unsaid. */
  async #write(session: Session, intent: SessionIntent, signal: AbortSignal): Promise<Session> {
    const { client } = this.#options;
    const { state } = intent;
    const isForeign = stateOwners(session).length > 0;
    const annotations = annotationsOf(intent, session);
    const override = overrideFor(session, { intent, annotations, isForeign });
    const from = override ? await this.#override(session, override, signal) : session;
    const { name, namespace, uid, resourceVersion } = from.metadata;
    const body: JsonObject = {
      apiVersion: apiVersion(SESSIONS),
      kind: SESSIONS.kind,
      metadata: { name, namespace, uid, resourceVersion, annotations },
      ...(isForeign ? {} : { spec: { state } }),
    };
    // By force, because what it takes is ours already, or nobody's: this was the Session as it was read.
    const query = { fieldManager: INTENT_MANAGER, force: true };
    return this.#keep(await client.patch(this.#ref(name), 'apply', body, signal, { query }));
  }

  /** Taken only by the Session as it was read. */
  async #override(session: Session, override: SessionOverride, signal: AbortSignal): Promise<Session> {
    const { client } = this.#options;
    const ref = this.#ref(session.metadata.name);
    return this.#keep(await applyStatus(client, ref, session, { override }, signal, OVERRIDE_MANAGER, () => true));
  }

  /** Shown to whoever looks next, before the watch tells of it. */
  #keep(answer: object): Session {
    const session = withoutManagedFields<Session>(answer as JsonObject);
    this.#options.store.put(session);
    return session;
  }

  #ref(name: string): ObjectRef {
    return { resource: SESSIONS, namespace: this.namespace, name };
  }
}

/** What has to stand in `status.override` so that the intent holds; undefined: it does with what stands there. */
function overrideFor(
  session: Session,
  { intent, annotations, isForeign }: { intent: SessionIntent; annotations: Readonly<Record<string, string>>; isForeign: boolean },
): SessionOverride | undefined {
  const { state, by, at } = intent;
  const { metadata, spec } = session;
  const { generation = 0 } = metadata;
  const now = spec?.state ?? 'Running';
  const after = isForeign ? now : state;
  const written = {
    ...session,
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, ...annotations },
      generation: after === now ? generation : generation + 1,
    },
    ...(spec ? { spec: { ...spec, state: after } } : {}),
  };
  return desiredOf(written) === state ? undefined : { state, reason: 'Asked', by, at: at.toISOString(), generation };
}

/** Who else owns `spec.state`: a GitOps tool, or a person with kubectl. */
function stateOwners({ metadata }: Session): readonly string[] {
  const { managedFields = [] } = metadata as { readonly managedFields?: readonly Managed[] };
  return managedFields
    .filter(({ subresource, fieldsV1 }) => !subresource && fieldsV1?.['f:spec']?.['f:state'] !== undefined)
    .map(({ manager = '' }) => manager)
    .filter((manager) => manager !== FIELD_MANAGER && manager !== INTENT_MANAGER);
}

/** A stop that is asked for once more does not give back the home that another one takes. */
function annotationsOf(intent: SessionIntent, session?: Session): Readonly<Record<string, string>> {
  const deletes = intent.state === 'Stopped' && (intent.deleteHome || session?.metadata.annotations?.[DELETE_HOME] === 'true');
  return { [INTENT]: formatIntent(intent), ...(deletes ? { [DELETE_HOME]: 'true' } : {}) };
}
