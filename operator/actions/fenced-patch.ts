import { ApiError } from '../kube/error.ts';
import type { KubeObject, ObjectMeta, ObjectRef } from '../kube/object.ts';
import type { JsonObject } from '../lib/json.ts';
import type { ActionContext } from './action.ts';
import type { Failure } from './outcome.ts';

const ATTEMPTS = 5;

/** One object to be changed under optimistic lock. */
export interface FencedWrite<State extends Pick<ObjectMeta, 'uid' | 'resourceVersion'>> {
  readonly ref: ObjectRef;
  /** Reads the object fresh and checks that it is the one that is meant. */
  readonly read: () => Promise<{ readonly state: State } | { readonly failure: Failure }>;
  /** How the patch is sent; absent: as a JSON merge patch of the object. */
  readonly send?: (patch: JsonObject) => Promise<KubeObject>;
  /** What to change; undefined when it already is as asked for, and then nothing is written. */
  readonly change: (state: State) => { readonly metadata?: JsonObject; readonly spec?: JsonObject } | undefined;
}

/** What was found, and what the API server answered to the patch; no answer where nothing had to be written. */
export type FencedResult<State> = { readonly from: State; readonly answer?: KubeObject } | { readonly failure: Failure };

/**
 * Reads, decides and writes a minimal merge patch that only the object just read takes: UID and resource version stand in it. After a conflict
 * it reads again, five times at most (FIELD.md M13, A36, K34); then the conflict is thrown and the controller's backoff goes on with it.
 */
export async function fencedPatch<State extends Pick<ObjectMeta, 'uid' | 'resourceVersion'>>(
  write: FencedWrite<State>,
  context: ActionContext,
  known?: State,
): Promise<FencedResult<State>> {
  let from = known;
  let refused: ApiError | undefined;
  for (let attempt = 1; ; attempt++) {
    if (!from) {
      const read = await write.read();
      if ('failure' in read) return read;
      // The API server calls a foreign UID invalid, not a conflict: only under the same UID it is the content that is invalid.
      if (refused?.status === 422) throw refused;
      from = read.state;
    }
    const change = write.change(from);
    if (!change) return { from };
    const { uid, resourceVersion } = from;
    const patch: JsonObject = { ...change, metadata: { ...change.metadata, uid, resourceVersion } };
    try {
      const answer = await (write.send?.(patch) ?? context.cluster.mergePatch(write.ref, patch, context.signal));
      return { from, answer };
    } catch (error) {
      if (!(error instanceof ApiError) || ![404, 409, 422].includes(error.status) || attempt === ATTEMPTS) throw error;
      refused = error;
      from = undefined;
    }
  }
}
