import type { z } from 'zod';
import type { ActionContext, ActionDefinition, Plan, Progress } from '../../../operator/actions/action.ts';
import type { Session, SessionPhase, SessionStatus } from '../../../operator/api/session.ts';
import type { SessionDesk } from '../../../operator/api/session-desk.ts';
import type { SessionState } from '../../../operator/api/session-spec.ts';
import type { Cluster } from '../../../operator/kube/cluster.ts';
import { desiredOf } from '../../../operator/sessions/desired.ts';
import { controlPlane } from '../../cluster/shared.ts';
import { clientOf } from '../../kube/clients.ts';
import { deskOf, sessionsIn } from '../../sessions/desk-rig.ts';

/** A session action under way, a pass at a time, on a real API server with nobody else who looks after Sessions. */
export interface Run {
  /** One pass, so many seconds after the start. */
  pass(after?: number): Promise<Progress>;
  /** What the reconciler does after a failure or a cancellation. */
  undo(): Promise<string | undefined>;
  /** What it would do. */
  plan(): Promise<Plan>;
}

/** How an action is started. */
export interface RunOptions {
  readonly name: string;
  readonly startedAt?: Date;
  readonly refusal?: (name: string) => string | undefined;
  /** What an earlier process has recorded with the start; absent: it starts now. */
  readonly before?: { readonly targetUID: string; readonly result: ActionContext['before']['result'] };
}

const now = () => new Date();

/** Starts actions in a namespace. */
export function runnerIn(namespace: string) {
  const { signal } = new AbortController();
  return async <Schema extends z.ZodObject>(
    definition: ActionDefinition<Schema>,
    raw: z.input<Schema>,
    { name, startedAt = now(), refusal = () => undefined, before }: RunOptions,
  ): Promise<Run> => {
    const params = definition.params.parse(raw) as z.output<Schema>;
    const desk = watching(deskOf(clientOf(controlPlane), namespace), refusal);
    const target = await desk.read(definition.target(params).name, signal);
    const started = {
      cluster: {} as Cluster,
      signal,
      startedAt,
      targetUID: before?.targetUID ?? target?.metadata.uid ?? '',
      actor: `actions/${name}`,
    };
    const context = (after: number, result: ActionContext['before']['result']): ActionContext => ({
      ...started,
      now: new Date(startedAt.getTime() + after * 1000),
      sessions: desk,
      before: { result, blockers: [] },
    });
    let result = before?.result ?? (await definition.remember?.(params, context(0, {}))) ?? {};
    return {
      pass: async (after = 1) => {
        await desk.refresh(definition.target(params).name, signal);
        const progress = await definition.execute(params, context(after, result));
        result = progress.result ?? result;
        return progress;
      },
      undo: async () => definition.compensate?.(params, context(1, result)),
      plan: async () => {
        await desk.refresh(definition.target(params).name, signal);
        return definition.plan(params, context(0, {}));
      },
    };
  };
}

/** Its store has at every pass what a watch would have brought. */
function watching({ desk, store }: ReturnType<typeof deskOf>, refusal: (name: string) => string | undefined) {
  const key = (name: string) => `${desk.namespace}/${name}`;
  return {
    namespace: desk.namespace,
    get: (name) => desk.get(name),
    read: (name, signal) => desk.read(name, signal),
    desired: (session) => desk.desired(session),
    intend: (name, intent, signal) => desk.intend(name, intent, signal),
    overruled: (session, intent) => desk.overruled(session, intent),
    refusal,
    refresh: async (name: string, signal: AbortSignal) => {
      const stored = store.get(key(name));
      const session = await desk.read(name, signal);
      if (session) store.apply(session);
      else if (stored) store.remove(stored);
    },
  } satisfies SessionDesk & { refresh: unknown };
}

/** Writes what the controller of Sessions would have come to: this phase, for what the Session is asked to be now. */
export function comesTo(namespace: string) {
  const sessions = sessionsIn(namespace);
  return async (name: string, phase: SessionPhase, more: Partial<SessionStatus> & { ready?: [string, string] } = {}): Promise<Session> => {
    const session = await sessions.get(name);
    const { ready, ...status } = more;
    const settled = phase === desiredOf(session);
    const [reason, message] = ready ?? [phase, ''];
    const at = new Date().toISOString();
    const conditions = [
      { type: 'Ready', status: settled ? 'True' : 'False', reason, message, lastTransitionTime: at },
      ...(phase === 'Failed' ? [{ type: 'Stalled', status: 'True', reason, message, lastTransitionTime: at } as const] : []),
      { type: 'Available', status: phase === 'Running' ? 'True' : 'False', reason, message: '', lastTransitionTime: at },
    ] as const;
    const gone = phase === 'Running' ? {} : { podName: null as never, podIP: null as never };
    return sessions.status(name, {
      observedGeneration: session.metadata.generation ?? 0,
      desired: desiredOf(session) as SessionState,
      phase,
      phaseSince: at,
      conditions,
      ...gone,
      ...status,
    });
  };
}
