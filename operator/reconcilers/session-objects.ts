import type { Session } from '../api/session.ts';
import type { SessionTemplate } from '../api/session-template.ts';
import type { KubeClient } from '../kube/client.ts';
import { ApiError, isStatus } from '../kube/error.ts';
import type { KubeObject, ObjectRef, Resource } from '../kube/object.ts';
import { CLAIMS, DEPLOYMENTS, SERVICES } from '../kube/resources.ts';
import { projectWorkload, type SessionWatches } from '../kube/session-watches.ts';
import { FIELD_MANAGER } from '../kube/status.ts';
import type { Store } from '../kube/store.ts';
import type { JsonObject } from '../lib/json.ts';
import type { Seconds } from '../lib/next.ts';
import type { Observed } from '../sessions/diagnosis.ts';
import { differenceOf } from '../sessions/difference.ts';
import { HIBERNATED_REPLICAS } from '../sessions/hibernation.ts';
import { digest } from '../sessions/labels.ts';
import { APPLIED, claimNameOf } from '../sessions/objects.ts';
import { holderOf, whose } from '../sessions/ownership.ts';

/** Somebody who changes an object back and forth is not answered more often. */
const REPAIR_PAUSE: Seconds = 10;

/** Why an object can never be as it should: a name that is taken, or values that the API server refuses. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly reason: 'NameTaken' | 'InvalidWorkload';

  constructor(reason: Refusal['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What an attempt to have an object as desired came to. */
export type Ensured =
  | { readonly kind: 'there' }
  /** One of the same name is on its way out. */
  | { readonly kind: 'going'; readonly what: string }
  /** It was repaired a moment ago and is changed again. */
  | { readonly kind: 'later'; readonly after: Seconds };

/** What is known of an object since it was last applied. */
interface Applied {
  readonly at: number;
  readonly applied: string | undefined;
  /** A hash of what the API server answered. */
  readonly answer: string;
}

/** Reads and writes the Deployment, Service and claim of sessions, in the cluster as the watches show it. */
export class SessionObjects {
  readonly #client: KubeClient;
  readonly #watches: SessionWatches<Session, SessionTemplate>;
  /** By UID. */
  readonly #applied = new Map<string, Applied>();

  constructor(client: KubeClient, watches: SessionWatches<Session, SessionTemplate>) {
    this.#client = client;
    this.#watches = watches;
  }

  /** What is there, of this session and of others with the same names. */
  observe({ metadata: { name, namespace = '' } }: Session): Observed {
    const { claims, services, deployments } = this.#watches;
    return {
      claim: claims.get(`${namespace}/${claimNameOf(name)}`),
      service: services.get(`${namespace}/${name}`),
      deployment: deployments.get(`${namespace}/${name}`),
      pods: this.#watches.podsOf(name),
    };
  }

  /** Makes the claim where there is none; one that is there is taken as it is. Throws Refusal. */
  async ensureClaim(session: Session, wanted: JsonObject, signal: AbortSignal): Promise<Ensured> {
    const observed = this.#stored(CLAIMS, wanted) ?? (await this.#look(CLAIMS, wanted, signal));
    if (!observed) await this.#apply(CLAIMS, wanted, undefined, signal);
    return observed && this.#owner(observed, session, CLAIMS) === 'going' ? going(CLAIMS, observed) : { kind: 'there' };
  }

  /**
   * Makes the Service or Deployment as desired, with a write only where it differs. `repair` leaves one alone that was made from something else,
   * by an operator of another version or from another template: only what somebody changed in it is undone. Throws Refusal.
   */
  async ensure(session: Session, resource: Resource, wanted: JsonObject, how: 'renew' | 'repair', signal: AbortSignal): Promise<Ensured> {
    // One without our labels is not watched: before anything is taken for missing, it is looked for.
    const observed = this.#stored(resource, wanted) ?? (await this.#look(resource, wanted, signal));
    if (!observed) {
      await this.#apply(resource, wanted, undefined, signal);
      return { kind: 'there' };
    }
    if (this.#owner(observed, session, resource) === 'going') return going(resource, observed);
    if (how === 'repair' && isOutdated(observed, wanted)) return { kind: 'there' };
    const pause = this.#pause(observed, wanted);
    if (pause === undefined) return { kind: 'there' };
    if (pause > 0) return { kind: 'later', after: pause };
    if (resource === DEPLOYMENTS) await this.#recreate(observed, signal);
    await this.#apply(resource, wanted, observed, signal);
    return { kind: 'there' };
  }

  /** Scales the Deployment to zero and writes on it how many replicas come back; what else it says stays. */
  async scaleToZero(deployment: KubeObject, replicas: number, signal: AbortSignal): Promise<void> {
    const annotations = { [HIBERNATED_REPLICAS]: String(replicas) };
    await this.#merge(deployment, { metadata: { annotations }, spec: { replicas: 0 } }, signal);
  }

  /** Deletes what is there of the session, but not its claim unless told. Whether anything is left, its pods included. */
  async remove(session: Session, withClaim: boolean, signal: AbortSignal): Promise<{ readonly left: readonly string[] }> {
    const { deployment, service, claim, pods } = this.observe(session);
    const left: string[] = [];
    const leaving: readonly (readonly [Resource, KubeObject | undefined, string])[] = [
      [DEPLOYMENTS, deployment, 'Foreground'],
      [SERVICES, service, 'Background'],
      [CLAIMS, withClaim ? claim : undefined, 'Background'],
    ];
    for (const [resource, object, propagationPolicy] of leaving) {
      if (!object || whose(object, session) === 'foreign') continue;
      const isGone = !object.metadata.deletionTimestamp && !(await this.#delete(resource, object, propagationPolicy, signal));
      if (!isGone) left.push(`${resource.kind} ${object.metadata.name}`);
    }
    return { left: [...left, ...pods.map((pod) => `pod ${pod.name}`)] };
  }

  /** The session is gone. */
  forget(session: Session): void {
    const { deployment, service } = this.observe(session);
    for (const object of [deployment, service]) if (object) this.#applied.delete(object.metadata.uid);
  }

  /** How long to wait until it is applied: undefined where it is as desired. */
  #pause(observed: KubeObject, wanted: JsonObject): Seconds | undefined {
    if (isOutdated(observed, wanted)) return 0;
    if (differenceOf(wanted, observed as unknown as JsonObject) === undefined) return undefined;
    const before = this.#applied.get(observed.metadata.uid);
    if (!before || before.applied !== appliedOf(wanted)) return 0;
    // A webhook made it so when it was applied: it would do so again.
    if (before.answer === answerOf(observed)) return undefined;
    return Math.max(0, REPAIR_PAUSE - (performance.now() - before.at) / 1000);
  }

  /** A Deployment of the reference agent rolls; the members of that cannot stay beside Recreate, and an apply cannot take them away. */
  async #recreate(deployment: KubeObject, signal: AbortSignal): Promise<void> {
    const { strategy } = (deployment.spec ?? {}) as { readonly strategy?: { readonly rollingUpdate?: object } };
    if (strategy?.rollingUpdate) await this.#merge(deployment, { spec: { strategy: { type: 'Recreate', rollingUpdate: null } } }, signal);
  }

  async #merge(deployment: KubeObject, change: JsonObject, signal: AbortSignal): Promise<void> {
    const { uid } = deployment.metadata;
    const body = { ...change, metadata: { ...(change.metadata as JsonObject | undefined), uid } };
    const answer = await this.#client.patch(refOf(DEPLOYMENTS, deployment.metadata), 'merge', body, begun(signal), {
      query: { fieldManager: FIELD_MANAGER },
    });
    this.#watches.deployments.put(projectWorkload(answer as unknown as JsonObject));
    // What is different now is our own doing, and nothing that somebody does again and again.
    this.#applied.delete(uid);
  }

  async #apply(resource: Resource, wanted: JsonObject, observed: KubeObject | undefined, signal: AbortSignal): Promise<void> {
    const metadata = wanted.metadata as JsonObject & { readonly name: string; readonly namespace?: string };
    const body = observed ? { ...wanted, metadata: { ...metadata, uid: observed.metadata.uid } } : wanted;
    try {
      const answer = await this.#client.patch(refOf(resource, metadata), 'apply', body, begun(signal), {
        query: { fieldManager: FIELD_MANAGER, force: true },
      });
      const stored = projectWorkload(answer as unknown as JsonObject);
      this.#applied.set(stored.metadata.uid, { at: performance.now(), applied: appliedOf(wanted), answer: answerOf(stored) });
      this.#store(resource).put(stored);
    } catch (error) {
      if (error instanceof ApiError && isRefused(error)) throw new Refusal('InvalidWorkload', error.message);
      throw error;
    }
  }

  /** Whether it is still there after that. */
  async #delete(resource: Resource, { metadata }: KubeObject, propagationPolicy: string, signal: AbortSignal): Promise<boolean> {
    try {
      const options = { preconditions: { uid: metadata.uid }, propagationPolicy };
      await this.#client.delete(refOf(resource, metadata), options, begun(signal));
      return true;
    } catch (error) {
      if (!isStatus(error, 404)) throw error;
      return false;
    }
  }

  #owner(observed: KubeObject, session: Session, resource: Resource): 'ours' | 'going' {
    const owner = whose(observed, session);
    if (owner !== 'foreign') return owner;
    const { name } = observed.metadata;
    throw new Refusal(
      'NameTaken',
      `there is a ${resource.kind} ${name} already, and ${holderOf(observed)}; rename or remove it, or make a Session of another name`,
    );
  }

  #stored(resource: Resource, wanted: JsonObject): KubeObject | undefined {
    const { name, namespace } = wanted.metadata as { readonly name: string; readonly namespace?: string };
    return this.#store(resource).get(`${namespace}/${name}`);
  }

  #store(resource: Resource): Store<KubeObject> {
    const { claims, services, deployments } = this.#watches;
    return resource === CLAIMS ? claims : resource === SERVICES ? services : deployments;
  }

  /** By a list of one: who watches may list. */
  async #look(resource: Resource, wanted: JsonObject, signal: AbortSignal): Promise<KubeObject | undefined> {
    const { name, namespace } = wanted.metadata as { readonly name: string; readonly namespace?: string };
    const page = await this.#client.list(resource, namespace, { fieldSelector: `metadata.name=${name}` }, signal);
    return page.items[0] && projectWorkload(page.items[0]);
  }
}

function going({ kind }: Resource, { metadata }: KubeObject): Ensured {
  return { kind: 'going', what: `${kind} ${metadata.name}` };
}

/** Whether the object was made from something else than what is desired now. */
export function isOutdated(observed: KubeObject, wanted: JsonObject): boolean {
  return observed.metadata.annotations?.[APPLIED] !== appliedOf(wanted);
}

/** The members that we have a say in. */
function answerOf({ metadata, spec }: KubeObject): string {
  return digest([metadata.labels, metadata.annotations?.[APPLIED], metadata.ownerReferences, spec], 16);
}

function appliedOf({ metadata }: JsonObject): string | undefined {
  return (metadata as { readonly annotations?: Readonly<Record<string, string>> }).annotations?.[APPLIED];
}

/** An apply with an entry twice in a list is refused as if the server had a fault. */
function isRefused({ status, message }: ApiError): boolean {
  return status === 422 || status === 400 || message.startsWith('failed to create typed patch object');
}

function refOf(resource: Resource, { name, namespace }: { readonly name: string; readonly namespace?: string }): ObjectRef {
  return { resource, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** A write that is on its way when the operator stops is waited for, bounded by the client's own time-out; one that has not begun is not made. */
function begun(signal: AbortSignal): AbortSignal {
  signal.throwIfAborted();
  return new AbortController().signal;
}
