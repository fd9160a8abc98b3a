import { describe, expect, it } from 'vitest';
import { type FilterFacts, judgePod } from '../../operator/actions/drain/filters.ts';
import { type DrainRule, readRules } from '../../operator/actions/drain/rules.ts';
import { describeRefusals, skipCounts, sortVerdicts } from '../../operator/actions/drain/verdicts.ts';
import type { Pod } from '../../operator/kube/pod.ts';
import { makePod, START } from './fake-cluster.ts';

const facts: FilterFacts = {
  force: false,
  ignoreDaemonSets: true,
  deleteEmptyDirData: false,
  skipNamespaces: [],
  ignoreDoNotDisrupt: false,
  forces: false,
  timeLeft: 600,
  partOf: readRules([]),
  now: START,
  daemonSetExists: (_namespace, name) => name === 'proxy',
};

function ownedBy(kind: string, name: string, apiVersion = 'apps/v1'): Pick<Pod, 'controller'> {
  return { controller: { apiVersion, kind, name, uid: 'u' } };
}

function bare(name: string, more: Partial<Pod> = {}): Pod {
  const { controller: _, ...pod } = makePod(name, more);
  return pod;
}

const ago = (seconds: number) => ({ deletionTimestamp: new Date(START.getTime() - seconds * 1000).toISOString() });
const cache = { emptyDirs: [{ name: 'cache', medium: 'Memory', sizeLimit: '64Mi' }] };

const marked = (value: string) => ({
  disruption: { marks: [{ name: 'karpenter.sh/do-not-disrupt' as const, value }], startedAt: START.toISOString() },
});
const labelled = (value: string) => ({ labels: { 'cluster.x-k8s.io/drain': value } });
const ruled = (behavior: DrainRule['behavior']) => ({ partOf: readRules([{ behavior, namespaces: [], order: 0 }]) });

const rows: readonly [row: string, pod: Pod, more: Partial<FilterFacts>, verdict: string, warnings: number][] = [
  ['a pod of a ReplicaSet goes', makePod('a'), {}, 'pass', 0],
  ['K9 terminating for exactly 60 s after its grace is waited for', makePod('a', ago(60)), {}, 'pass', 0],
  ['K9 the part of a second does not count', makePod('a', ago(60.9)), {}, 'pass', 0],
  ['K9 terminating for 61 s after its grace is skipped', makePod('a', ago(61)), {}, 'skip terminating', 1],
  ['K9 within its grace it is waited for', makePod('a', ago(-30)), {}, 'pass', 0],
  ['K10 a DaemonSet of apps/v1', makePod('a', ownedBy('DaemonSet', 'proxy')), {}, 'skip daemonSet', 1],
  ['K10 a DaemonSet of another API is any controller', makePod('a', ownedBy('DaemonSet', 'x', 'apps.kruise.io/v1')), {}, 'pass', 0],
  ['K10 a finished pod of a DaemonSet goes', makePod('a', { ...ownedBy('DaemonSet', 'proxy'), phase: 'Failed' }), {}, 'pass', 0],
  ['K11 the DaemonSet is gone', makePod('a', ownedBy('DaemonSet', 'gone')), {}, 'refuse daemonSetGone', 0],
  ['K11 the DaemonSet is gone, force', makePod('a', ownedBy('DaemonSet', 'gone')), { force: true }, 'pass', 1],
  ['K12 DaemonSets are not ignored', makePod('a', ownedBy('DaemonSet', 'proxy')), { ignoreDaemonSets: false }, 'refuse daemonSet', 0],
  ['K12 ignoring DaemonSets is no force', bare('a'), { ignoreDaemonSets: true }, 'refuse unmanaged', 0],
  ['K12 later filters are not reached', makePod('a', { ...ownedBy('DaemonSet', 'proxy'), ...cache }), {}, 'skip daemonSet', 1],
  ['K13 a mirror pod is skipped silently', makePod('a', { mirror: true }), {}, 'skip mirror', 0],
  ['K13 a mirror pod without a controller too', bare('a', { mirror: true }), {}, 'skip mirror', 0],
  ['K14 emptyDir', makePod('a', cache), {}, 'refuse emptyDir', 0],
  ['K14 emptyDir may be lost', makePod('a', cache), { deleteEmptyDirData: true }, 'pass', 1],
  ['K14 emptyDir of a finished pod', makePod('a', { ...cache, phase: 'Succeeded' }), {}, 'pass', 0],
  ['K14 force does not lose emptyDir data', makePod('a', cache), { force: true }, 'refuse emptyDir', 0],
  ['K15 unmanaged', bare('a'), {}, 'refuse unmanaged', 0],
  ['K15 unmanaged, force', bare('a'), { force: true }, 'pass', 1],
  ['K15 unmanaged and finished', bare('a', { phase: 'Succeeded' }), {}, 'pass', 0],
  ['K7 terminating comes before all others', bare('a', ago(100)), {}, 'skip terminating', 1],
  ['K7 emptyDir comes before unmanaged', bare('a', cache), {}, 'refuse emptyDir', 0],
  ['K8 every warning is kept', bare('a', cache), { force: true, deleteEmptyDirData: true }, 'pass', 2],
  ['M9 a pod that must not be disrupted', makePod('a', marked('true')), {}, 'refuse doNotDisrupt', 0],
  ['M9 it may be, the spec says', makePod('a', marked('true')), { ignoreDoNotDisrupt: true }, 'pass', 1],
  ['A32 a protection that ends in time is waited for', makePod('a', marked('599s')), {}, 'pass held DoNotDisrupt', 0],
  ['A32 one that ends with the timeout is too late', makePod('a', marked('600s')), {}, 'refuse doNotDisrupt', 0],
  ['A32 a mark that cannot be read is worth a warning', makePod('a', marked('soon')), {}, 'pass', 1],
  [
    'M9 the pod of a DaemonSet stays anyway',
    makePod('a', { ...ownedBy('DaemonSet', 'proxy'), ...marked('true') }),
    {},
    'skip daemonSet',
    1,
  ],
  ['M9 a finished pod has nothing to protect', makePod('a', { ...marked('true'), phase: 'Succeeded' }), {}, 'pass', 0],
  ['K7 a protected pod must still be allowed to lose its data', makePod('a', { ...marked('5m'), ...cache }), {}, 'refuse emptyDir', 0],
  ['M9 the label skip', makePod('a', { ...labelled('skip'), ...cache }), {}, 'skip drainLabel', 0],
  ['M9 the label Skip', makePod('a', labelled('Skip')), {}, 'skip drainLabel', 0],
  ['M9 another value of the label', makePod('a', labelled('constructor')), {}, 'pass', 0],
  ['M8 the label wait-completed', makePod('a', labelled('wait-completed')), {}, 'pass held WaitingForCompletion', 0],
  ['M8 the label beats a rule', makePod('a', labelled('skip')), ruled('WaitCompleted'), 'skip drainLabel', 0],
  ['M8 a rule that skips', bare('a', cache), ruled('Skip'), 'skip rule', 0],
  [
    'M8 a rule that waits asks for no permission',
    bare('a', { ...cache, ...marked('true') }),
    ruled('WaitCompleted'),
    'pass held WaitingForCompletion',
    0,
  ],
  ['M8 what has ended is not waited for', bare('a', { phase: 'Succeeded' }), ruled('WaitCompleted'), 'pass', 0],
  ['M8 a DaemonSet comes before the rules', makePod('a', ownedBy('DaemonSet', 'proxy')), ruled('WaitCompleted'), 'skip daemonSet', 1],
  ['M12 a stuck pod that is forced is not given up', makePod('a', { ...ago(61), deletionGraceSeconds: 30 }), { forces: true }, 'pass', 0],
  ['M12 nothing is stronger than no grace', makePod('a', { ...ago(61), deletionGraceSeconds: 0 }), { forces: true }, 'skip terminating', 1],
  ['M12 a protected pod is never forced', makePod('a', { ...ago(61), ...marked('true') }), { forces: true }, 'skip terminating', 1],
  ['a namespace that is left alone', bare('a', cache), { skipNamespaces: ['shop'] }, 'skip namespace', 0],
];

describe('the filters of a drain', () => {
  it.each(rows)('%s', (_row, pod, more, verdict, warnings) => {
    const judged = judgePod(pod, { ...facts, ...more });
    const held = 'held' in judged && judged.held ? `held ${judged.held.cause}` : undefined;
    expect([judged.decision, 'why' in judged ? judged.why : held].filter(Boolean).join(' ')).toBe(verdict);
    expect(judged.warnings).toHaveLength(warnings);
  });
});

describe('the verdicts of a node', () => {
  const judge = (pods: readonly Pod[], more: Partial<FilterFacts> = {}) =>
    sortVerdicts(pods.map((pod) => judgePod(pod, { ...facts, ...more })));

  it('K16 names each class of refusal with the option that changes it, and at most three pods', () => {
    const pods = ['e', 'd', 'c', 'b', 'a'].map((name) => bare(name));
    expect(describeRefusals(judge([...pods, makePod('f', cache)]).refused)).toBe(
      'pods with emptyDir data (set deleteEmptyDirData: true to lose it): shop/f (cache: Memory, at most 64Mi); ' +
        'pods without a controller (set force: true to delete them): shop/a, shop/b, shop/c and 2 more',
    );
  });

  it('M9 names the mark and what overrides it', () => {
    expect(describeRefusals(judge([makePod('a', marked('true'))]).refused)).toBe(
      'pods that must not be disrupted (set ignoreDoNotDisrupt: true to evict them): shop/a (karpenter.sh/do-not-disrupt: true)',
    );
  });

  it('K17 groups warnings by text, sorted whatever the order of the pods', () => {
    const pods = [bare('b', cache), bare('a'), makePod('c', ownedBy('DaemonSet', 'proxy'))];
    const expected = [
      'deleting emptyDir data of pods: shop/b',
      'deleting pods without a controller: shop/a, shop/b',
      'leaving pods of DaemonSets: shop/c',
    ];
    const more = { force: true, deleteEmptyDirData: true };
    expect(judge(pods, more).warnings).toEqual(expected);
    expect(judge(pods.toReversed(), more).warnings).toEqual(expected);
  });

  it('counts who stays, per class', () => {
    const look = judge([makePod('a', { mirror: true }), makePod('b', { mirror: true }), makePod('c', ownedBy('DaemonSet', 'proxy'))]);
    expect(skipCounts(look.skipped)).toEqual({ daemonSet: 1, mirror: 2 });
  });
});
