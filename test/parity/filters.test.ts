import { describe, expect, it } from 'vitest';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { type Ground, useLive } from './ground.ts';
import { kubectlDecides, kubectlDrain } from './kubectl-drain.ts';
import { restrict } from './restricted.ts';
import { classesOn, createDaemonSet, createOwner, EMPTY_DIR, fillZoo, HELD, setPhase } from './zoo.ts';

const on = useLive();
const { api } = controlPlane;

/** Our options, and kubectl's. */
const OPTIONS = { force: 'force', ignoreDaemonSets: 'ignore-daemonsets', deleteEmptyDirData: 'delete-emptydir-data' } as const;
type Options = Readonly<Record<keyof typeof OPTIONS, boolean>>;

const COMBINATIONS: readonly Options[] = [0, 1, 2, 3, 4, 5, 6, 7].map((bits) => ({
  force: (bits & 1) > 0,
  ignoreDaemonSets: (bits & 2) > 0,
  deleteEmptyDirData: (bits & 4) > 0,
}));

/** Where we decide otherwise than kubectl, on purpose (FIELD.md, "Better"). Whatever else differs is a defect. */
const BETTER: Readonly<Record<string, 'stays'>> = {
  // K13: a static pod is told by its owner, the Node, too, should its annotation be gone. To kubectl it is any pod with a controller.
  'owned-by-node': 'stays',
};

const flagsFor = (options: Options, selector?: string) => [
  ...Object.entries(OPTIONS).map(([ours, theirs]) => `--${theirs}=${options[ours as keyof Options]}`),
  ...(selector ? [`--pod-selector=${selector}`] : []),
];

/** What we decide, read from the plan in the words of kubectl. */
async function weDecide(ground: Ground, options: Options, podSelector?: string) {
  const plan = await ground.plan({ ...options, ...(podSelector ? { podSelector } : {}) });
  const podOf = (line: string) => line.slice(0, line.indexOf(': '));
  const refused = plan.blocked.map((line) => [podOf(line), optionIn(line)] as const);
  const stays = new Set([...plan.skip, ...plan.blocked].map(podOf));
  const chosen = [...(await classesOn(ground, podSelector)).keys()];
  const go = refused.length > 0 ? [] : chosen.filter((pod) => !stays.has(pod)).sort();
  expect(plan.change).toBe(go.length);
  return { allowed: refused.length === 0, go, refused: Object.fromEntries(refused) };
}

function optionIn(line: string): string {
  const [, ours = ''] = /\(set (\w+): true /.exec(line) ?? [];
  return OPTIONS[ours as keyof Options] ?? line;
}

describe.concurrent('the filters, beside those of the real kubectl', () => {
  it('K7 K10 K11 K12 K13 K14 K15 K16: every combination of options and selectors decides as kubectl does on a node with a pod of every class', async () => {
    const ground = await on.ground('zoo');
    await fillZoo(ground);
    const classes = await classesOn(ground);
    const differs = (pod: string) => BETTER[classes.get(pod) ?? ''] === 'stays';
    const names = [...new Set(classes.values())].sort();
    const selectors = [undefined, 'zoo notin (daemon, daemon-emptydir)', '!zoo', 'zoo,zoo!=bare', 'zoo in (managed, replicated, mirror)'];
    const cases = [
      ...selectors.flatMap((selector) => COMBINATIONS.map((options) => ({ selector, options }))),
      // Each class alone with everything allowed: whether it goes. Why it would be refused is told pod by pod above.
      ...names.map((name) => ({ selector: `zoo=${name}`, options: { force: true, ignoreDaemonSets: true, deleteEmptyDirData: true } })),
    ];
    const outcomes = new Set<string>();
    const lane = async (todo: Iterator<(typeof cases)[number]>) => {
      for (let next = todo.next(); !next.done; next = todo.next()) {
        const { selector, options } = next.value;
        const [kubectl, ours] = await Promise.all([
          kubectlDecides(ground.node, flagsFor(options, selector)),
          weDecide(ground, options, selector),
        ]);
        const expected = { ...kubectl, go: kubectl.go.filter((pod) => !differs(pod)) };
        expect(ours, `${selector} ${JSON.stringify(options)}`).toEqual(expected);
        outcomes.add(kubectl.allowed ? `allowed ${kubectl.go.length > 0}` : 'refused');
      }
    };
    const todo = cases.values();
    await Promise.all([lane(todo), lane(todo), lane(todo)]);
    // Every kind of outcome was compared.
    expect([...outcomes].sort()).toEqual(['allowed false', 'allowed true', 'refused']);
    expect(ground.writes()).toEqual([]);
  }, 180_000);

  it('K7 K12 K13 K16: what a real kubectl drain leaves on a node, ours leaves too', async () => {
    const [theirs, ours] = await Promise.all([on.ground('zoo-kubectl'), on.ground('zoo-ours')]);
    await Promise.all([fillZoo(theirs), fillZoo(ours)]);
    // Those that stay terminating for ever would be waited for by both.
    const podSelector = 'zoo notin (terminating, gone-daemon, gone-daemon-finished)';
    const all = { force: true, ignoreDaemonSets: true, deleteEmptyDirData: true };
    const [kubectl, run] = await Promise.all([
      kubectlDrain(theirs.node, [...flagsFor(all, podSelector), '--timeout=40s']),
      ours.drain({ ...all, podSelector }),
    ]);
    expect(kubectl).toMatchObject({ code: 0 });
    expect(run.end).toMatchObject({ state: 'succeeded' });
    const left = async (ground: Ground) => [...(await classesOn(ground, podSelector)).values()].sort();
    expect(await left(theirs)).toEqual(['daemon', 'daemon-emptydir', 'mirror', 'mirror-emptydir']);
    expect(await left(ours)).toEqual([...(await left(theirs)), ...Object.keys(BETTER)].sort());
  });

  it('K8: every warning of every filter is kept, where kubectl shows the last alone', async () => {
    const ground = await on.ground('warnings');
    await ground.pod('both', { spec: EMPTY_DIR });
    const kubectl = await kubectlDrain(ground.node, ['--dry-run=client', '--force', '--delete-emptydir-data']);
    expect(kubectl.stderr).toContain('declare no controller');
    expect(kubectl.stderr).not.toContain('local storage');
    const { end } = await ground.drain({ force: true, deleteEmptyDirData: true });
    const pod = `${ground.t.namespace}/both`;
    expect(end.result?.warnings).toEqual([`deleting emptyDir data of pods: ${pod}`, `deleting pods without a controller: ${pod}`]);
  });

  it('K9: a pod that should have ended more than 60 s ago is left behind with a warning, one within that time is waited for', async () => {
    const ground = await on.ground('overdue');
    await ground.pod('stuck', { metadata: { ...HELD, ...(await createOwner(ground)) } });
    await api.remove(`/api/v1/namespaces/${ground.t.namespace}/pods/stuck`, { gracePeriodSeconds: 1 });
    await waitFor(() => on.live.cluster.view.pod(ground.t.namespace, 'stuck')?.deletionTimestamp, {
      what: 'the watch shows it terminating',
    });
    const waited = await ground.drain({ timeoutSeconds: 1 });
    expect(waited.end).toMatchObject({ reason: 'Timeout', result: { remaining: 1, remainingPods: [`${ground.t.namespace}/stuck`] } });
    // The pod's grace period ends a second after its deletion; 60 whole seconds later it does not count any more.
    const clock = () => new Date(Date.now() + 63_000);
    const left = await ground.drain({}, { clock, startedAt: clock() });
    expect(left.end).toMatchObject({ state: 'succeeded', result: { skipped: { terminating: 1 }, evicted: 0 } });
    expect(left.end.result?.warnings).toEqual([expect.stringContaining(`${ground.t.namespace}/stuck`)]);
    expect(ground.writes()).toEqual([`patch nodes/${ground.node}`]);
  });

  it('K11: a DaemonSet that cannot be read, for whatever reason but its absence, refuses the drain, even with force', async () => {
    const ground = await on.ground('unreadable');
    await createDaemonSet(ground, 'daemon');
    await waitFor(() => on.live.cluster.view.podsOn(ground.node).length === 1, { what: 'the watch shows the pod of the DaemonSet' });
    await using somebody = await restrict(ground, 'get daemonsets');
    const kubectl = await kubectlDrain(ground.node, ['--force', '--ignore-daemonsets', '--timeout=10s'], somebody.kubeconfig);
    expect(kubectl).toMatchObject({ code: 1, stderr: expect.stringContaining('daemonsets.apps "daemon" is forbidden') });
    const { end } = await somebody.ground.drain({ force: true });
    expect(end).toMatchObject({ state: 'failed', reason: 'Forbidden', message: expect.stringContaining('daemonsets.apps "daemon"') });
    expect(await ground.left()).toHaveLength(1);
  });

  it('K14 K16: one refused pod refuses the whole node, and the refusal names volume, medium, size and option', async () => {
    const ground = await on.ground('refused');
    await ground.t.createDeployment({ name: 'fine' });
    await ground.pod('bare', { spec: EMPTY_DIR });
    await ground.pod('lone');
    const { end } = await ground.drain();
    const { namespace } = ground.t;
    expect(end).toMatchObject({ reason: 'DrainBlocked', result: { evicted: 0, remaining: 3 } });
    expect(end.message).toContain(`set deleteEmptyDirData: true to lose it): ${namespace}/bare (cache: Memory, at most 64Mi)`);
    expect(end.message).toContain(`set force: true to delete them): ${namespace}/lone`);
    expect(ground.writes()).toEqual([]);
    const allowed = await ground.drain({ force: true, deleteEmptyDirData: true });
    expect(allowed.end).toMatchObject({ state: 'succeeded', result: { evicted: 3 } });
  });

  it('K16: what was warned of stands beside what refuses', async () => {
    const ground = await on.ground('warned');
    await createDaemonSet(ground, 'daemon');
    await ground.pod('lone');
    const { end } = await ground.drain();
    expect(end).toMatchObject({ reason: 'DrainBlocked', result: { skipped: { daemonSet: 1 } } });
    expect(end.result?.warnings).toEqual([expect.stringMatching(/^leaving pods of DaemonSets: /)]);
  });

  it('K17: warnings are sorted, three pods are named and the rest counted, run for run the same', async () => {
    const ground = await on.ground('sorted');
    const names = ['e', 'b', 'd', 'a', 'c'];
    await Promise.all(names.map((name) => ground.pod(name)));
    await setPhase(ground, 'e', 'Succeeded');
    const { namespace } = ground.t;
    await waitFor(() => on.live.cluster.view.pod(namespace, 'e')?.phase === 'Succeeded', { what: 'the watch shows e finished' });
    await createDaemonSet(ground, 'daemon');
    const { end } = await ground.drain({ force: true });
    expect(end.result?.warnings).toEqual([
      `deleting pods without a controller: ${namespace}/a, ${namespace}/b, ${namespace}/c and 1 more`,
      expect.stringMatching(/^leaving pods of DaemonSets: /),
    ]);
  });
});
