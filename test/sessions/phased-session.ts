import type { Condition } from '../../operator/api/condition.ts';
import type { Session, SessionPhase } from '../../operator/api/session.ts';
import type { SessionState } from '../../operator/api/session-spec.ts';

/** What is special about a session of a test. */
export interface SessionTraits {
  readonly user?: string;
  readonly state?: SessionState;
  readonly phase?: SessionPhase;
  readonly cpu?: string;
  readonly memory?: string;
  readonly generation?: number;
  readonly created?: string;
  /** Status and reason of Ready, which speaks of generation 1. */
  readonly ready?: readonly [Condition['status'], string];
  /** Type, status and reason. */
  readonly conditions?: readonly (readonly [string, Condition['status'], string])[];
  readonly since?: string;
}

const CREATED = '2026-01-02T03:04:05Z';

/** A session in the namespace `desks`. */
export function makeSession(name: string, traits: SessionTraits = {}): Session {
  const { user = 'ada', state = 'Running', phase, cpu, memory, generation = 1, created = CREATED, ready, since = CREATED } = traits;
  const conditions = [...(ready ? [['Ready', ...ready] as const] : []), ...(traits.conditions ?? [])].map(([type, status, reason]) => ({
    type,
    status,
    reason,
    message: '',
    lastTransitionTime: since,
    observedGeneration: 1,
  }));
  return {
    apiVersion: 'cloudoptim.io/v1alpha1',
    kind: 'Session',
    metadata: { name, namespace: 'desks', uid: name, resourceVersion: '1', generation, creationTimestamp: created },
    spec: {
      user,
      state,
      template: { image: 'registry.example.com/desk:1' },
      ...((cpu || memory) && { resources: { ...(cpu && { cpu }), ...(memory && { memory }) } }),
    },
    ...(phase && { status: { phase, conditions } }),
  };
}
