import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Session } from '../../operator/api/session.ts';
import { ApiError } from '../../operator/kube/error.ts';
import type { KubeObject, Resource } from '../../operator/kube/object.ts';
import { activeReplicas, HIBERNATED_REPLICAS, hibernationOf } from '../../operator/sessions/hibernation.ts';
import { keepersOf, keeperWords, obstacleTo } from '../../operator/sessions/keepers.ts';
import { makeBudget } from '../actions/fake-cluster.ts';
import { makeSession } from './phased-session.ts';

const NOW = new Date('2026-05-06T07:08:09.123Z');

function deployment(replicas: number, metadata: Partial<KubeObject['metadata']> = {}): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'a', namespace: 'desks', uid: 'd', resourceVersion: '1', ...metadata },
    spec: { replicas, template: { metadata: { labels: { session: 'a' } } } },
  };
}

const asleep = (replicas: number): Session => ({
  ...makeSession('a', { state: 'Hibernated' }),
  status: { phase: 'Hibernated', hibernation: { replicas, reason: 'Idle', at: '2026-01-01T00:00:00Z' } },
});

describe('replicas', () => {
  it.each<[string, Session, KubeObject | undefined, number]>([
    ['a new session', makeSession('a'), undefined, 1],
    ['one that an autoscaler has grown', makeSession('a'), deployment(4), 4],
    ['one that somebody scaled to nothing', makeSession('a'), deployment(0), 1],
    ['one that wakes', asleep(3), deployment(0), 3],
    ['one that wakes after its Deployment was deleted', asleep(3), undefined, 3],
    ['one that an autoscaler took up while it wakes', asleep(3), deployment(5), 5],
    ['one that never had any', asleep(0), deployment(0), 1],
    ['one that came back without its status', makeSession('a'), deployment(0, { annotations: { [HIBERNATED_REPLICAS]: '2' } }), 2],
    ['one whose annotation somebody spoilt', makeSession('a'), deployment(0, { annotations: { [HIBERNATED_REPLICAS]: 'many' } }), 1],
  ])('of %s', (_, session, found, replicas) => {
    expect(activeReplicas(session, found)).toBe(replicas);
  });

  it('come back as they were, however often it is hibernated on the way', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 4 }), (replicas, times) => {
        let session = makeSession('a');
        let found = deployment(replicas);
        for (let time = 0; time < times; time++) {
          const hibernation = hibernationOf(session, found, { reason: 'Asked', keptBy: undefined }, NOW);
          session = { ...session, status: { phase: 'Hibernating', hibernation } };
          found = deployment(0);
        }
        expect(activeReplicas(session, found)).toBe(replicas);
      }),
    );
  });

  it('are kept as they were the first time, though somebody scaled up what is hibernated', () => {
    const first = hibernationOf(makeSession('a'), deployment(2), { reason: 'Idle', keptBy: 'Flux' }, NOW);
    expect(first).toEqual({ replicas: 2, reason: 'Idle', keptBy: 'Flux', at: NOW.toISOString() });
    const session = asleep(3);
    expect(hibernationOf(session, deployment(1), { reason: 'Asked', keptBy: undefined }, NOW)).toEqual(session.status?.hibernation);
  });
});

describe('who else has a say', () => {
  const scaler = (name: string, spec: object, metadata: object = {}) =>
    ({
      apiVersion: 'x',
      kind: 'x',
      metadata: { name, namespace: 'desks', uid: name, resourceVersion: '1', ...metadata },
      spec,
    }) as unknown as KubeObject;
  const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' };
  const kinds = (found: Readonly<Record<string, readonly KubeObject[]>>) => async (resource: Resource) => {
    const items = found[resource.plural];
    if (!items) throw new ApiError({ status: 404, reason: 'NotFound', message: 'the server could not find the requested resource' });
    return items;
  };

  it('is nobody where nothing aims at it, or the kinds are not installed', async () => {
    const keepers = await keepersOf(
      deployment(1),
      [makeBudget('others', { selector: { matchLabels: { session: 'b' }, matchExpressions: [] } })],
      kinds({}),
    );
    expect(keepers).toEqual({ horizontal: [], scaled: [], budgets: [], gitOps: undefined });
    expect([obstacleTo(keepers), keeperWords(keepers)]).toEqual([undefined, undefined]);
  });

  it('is named, and only a ScaledObject is in the way', async () => {
    const found = {
      horizontalpodautoscalers: [scaler('web', { scaleTargetRef: target }), scaler('other', { scaleTargetRef: { ...target, name: 'b' } })],
      scaledobjects: [
        scaler('keda', { scaleTargetRef: { name: 'a' } }),
        scaler('paused', { scaleTargetRef: { name: 'a' } }, { annotations: { 'autoscaling.keda.sh/paused': 'true' } }),
      ],
    };
    const budget = makeBudget('guard', { selector: { matchLabels: { session: 'a' }, matchExpressions: [] } });
    const tracked = deployment(1, { labels: { 'kustomize.toolkit.fluxcd.io/name': 'desks' } });
    const keepers = await keepersOf(tracked, [budget], kinds(found));
    expect(obstacleTo(keepers)).toEqual({
      reason: 'ManagedByAutoscaler',
      message:
        'the ScaledObject keda would scale it up again, so it is not hibernated: ' +
        'pause it with the annotation autoscaling.keda.sh/paused: "true", or delete it',
    });
    expect(keeperWords(keepers)).toBe(
      'HorizontalPodAutoscaler web is off until the wake and goes on from there; ' +
        'PodDisruptionBudget guard guards against evictions only, not against this; ' +
        'Flux (desks) keeps the Deployment: let it leave spec.replicas alone, or it scales it up again',
    );
  });

  it('is not guessed: what cannot be read is thrown', async () => {
    const refuses = async () => {
      throw new ApiError({ status: 403, reason: 'Forbidden', message: 'no' });
    };
    await expect(keepersOf(deployment(1), [], refuses)).rejects.toThrow('no');
  });
});
