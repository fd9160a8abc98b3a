import type { z } from 'zod';
import type { KubeObject, Resource } from '../kube/object.ts';
import type { DeepReadonly } from './fields.ts';
import { GROUP, VERSION } from './group.ts';
import type { requestFields } from './optimization-action-spec.ts';
import type { optimizationActionStatus, phases } from './optimization-action-status.ts';

/** The resource type of OptimizationAction: one recorded request to do one thing. */
export const OPTIMIZATION_ACTIONS: Resource = {
  group: GROUP,
  version: VERSION,
  plural: 'optimizationactions',
  kind: 'OptimizationAction',
  namespaced: true,
};

/** What was asked for; the parameters stand in the member of the action and are read by `parseActionSpec`. */
type OptimizationActionSpec = DeepReadonly<{ action: string } & z.output<typeof requestFields>>;

/** How far it is and how it ended. */
export type OptimizationActionStatus = DeepReadonly<z.output<typeof optimizationActionStatus>>;

/** One recorded request to do one thing. */
export type OptimizationAction = KubeObject<OptimizationActionSpec, OptimizationActionStatus>;

/** The life of a request in one word, for eyes. */
export type Phase = (typeof phases)[number];
