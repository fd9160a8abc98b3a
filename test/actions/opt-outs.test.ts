import { describe, expect, it } from 'vitest';
import { hasUnreadableMark, optOutOf, protectionOf } from '../../operator/actions/drain/opt-outs.ts';
import type { DisruptionMark } from '../../operator/kube/disruption-marks.ts';
import type { Pod } from '../../operator/kube/pod.ts';
import { makePod, START } from './fake-cluster.ts';

const KARPENTER = 'karpenter.sh/do-not-disrupt';
const OURS = 'cloudoptim.io/do-not-disrupt';
const AUTOSCALER = 'cluster-autoscaler.kubernetes.io/safe-to-evict';

/** A pod that the kubelet took a minute ago. */
function marked(marks: Partial<Record<DisruptionMark['name'], string>>, more: Partial<Pod> = {}): Pod {
  const list = Object.entries(marks).map(([name, value]) => ({ name, value }) as DisruptionMark);
  return makePod('a', { disruption: { marks: list, startedAt: new Date(START.getTime() - 60_000).toISOString() }, ...more });
}

/** Until when, in seconds from now. */
function left(pod: Pod): number | 'always' | undefined {
  const optOut = optOutOf(pod, START);
  if (!optOut) return undefined;
  return optOut.until ? (optOut.until.getTime() - START.getTime()) / 1000 : 'always';
}

describe('M9 A32 pods that must not be disrupted', () => {
  it.each([
    [KARPENTER, 'true', 'always', false],
    [KARPENTER, 'false', undefined, false],
    [KARPENTER, '', undefined, false],
    [KARPENTER, '5m', 240, false],
    [KARPENTER, '1h30m', 5340, false],
    [KARPENTER, '1.5h', 5340, false],
    [KARPENTER, '90s500ms', 30.5, false],
    [KARPENTER, '61000000us', 1, false],
    [KARPENTER, '60s', undefined, false],
    [KARPENTER, '0s', undefined, true],
    [KARPENTER, '-5m', undefined, true],
    [KARPENTER, '1d', undefined, true],
    [KARPENTER, 'True', undefined, true],
    [KARPENTER, `${'1'.repeat(100_000)}`, undefined, true],
    [OURS, 'true', 'always', false],
    [OURS, '2m', 60, false],
    [AUTOSCALER, 'false', 'always', false],
    [AUTOSCALER, 'true', undefined, false],
    [AUTOSCALER, 'False', undefined, false],
  ] as const)('%s: %.40s protects for %s', (name, value, expected, unreadable) => {
    const pod = marked({ [name]: value });
    expect(left(pod)).toBe(expected);
    expect(hasUnreadableMark(pod)).toBe(unreadable);
  });

  it.each([
    ['the longest of two durations', { [KARPENTER]: '5m', [OURS]: '3m' }, 240],
    ['for ever beats a duration', { [KARPENTER]: '5m', [AUTOSCALER]: 'false' }, 'always'],
    ['an unreadable one beside another', { [KARPENTER]: 'soon', [OURS]: '2m' }, 60],
  ] as const)('%s counts', (_row, marks, expected) => {
    expect(left(marked(marks))).toBe(expected);
  });

  it('names the mark that protects', () => {
    expect(optOutOf(marked({ [OURS]: '2m', [KARPENTER]: '5m' }), START)?.mark).toBe(`${KARPENTER}: 5m`);
  });

  it('before the kubelet took the pod all of its time is left', () => {
    expect(left(makePod('a', { disruption: { marks: [{ name: KARPENTER, value: '5m' }] } }))).toBe(300);
  });

  it.each([
    ['Succeeded', { phase: 'Succeeded' }],
    ['Failed', { phase: 'Failed' }],
    ['terminating', { deletionTimestamp: START.toISOString() }],
  ] as const)('a %s pod has nothing left to protect, but is never escalated', (_row, more) => {
    const pod = marked({ [KARPENTER]: 'true' }, more);
    expect(left(pod)).toBeUndefined();
    expect(protectionOf(pod, START)).toEqual({ mark: `${KARPENTER}: true` });
  });
});
