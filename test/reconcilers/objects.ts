import type { OptimizationAction, OptimizationActionStatus } from '../../operator/api/optimization-action.ts';

/** What a test says of an OptimizationAction; the rest is that of a Cordon by kubectl which succeeded at noon. */
export interface Made {
  readonly name?: string;
  readonly uid?: string;
  readonly metadata?: Partial<OptimizationAction['metadata']>;
  readonly spec?: object;
  readonly status?: Partial<OptimizationActionStatus>;
  /** The reason of Ready; default Done. */
  readonly reason?: string;
}

/** When the actions of the tests ended, unless told otherwise. */
export const NOON = '2026-11-21T12:00:00.000Z';

/** A finished action. */
export function finished({ name = 'a', uid = `uid-${name}`, metadata = {}, spec, status, reason = 'Done' }: Made = {}): OptimizationAction {
  return {
    apiVersion: 'cloudoptim.io/v1alpha1',
    kind: 'OptimizationAction',
    metadata: { name, namespace: 'ns', uid, resourceVersion: '1', ...metadata },
    spec: { action: 'Cordon', cordon: { nodeName: 'n1' }, mode: 'Execute', priority: 5, suspend: false, cancel: false, ...spec },
    status: {
      phase: 'Succeeded',
      startedAt: NOON,
      finishedAt: NOON,
      result: { changed: true },
      conditions: [{ type: 'Ready', status: 'True', reason, message: 'node n1 cordoned', lastTransitionTime: NOON }],
      ...status,
    },
  } as OptimizationAction;
}

/** The source of a mirrored action. */
export const source = { backend: 'prod', taskID: 't-1' };
