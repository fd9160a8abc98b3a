import { expect, onTestFinished, test } from 'vitest';
import { Election, type ElectionNews } from '../../operator/kube/election.ts';
import { NotLeading } from '../../operator/kube/fence.ts';
import type { KubeObject } from '../../operator/kube/object.ts';
import type { Tenure } from '../../operator/kube/tenure.ts';
import { Watches } from '../../operator/kube/watches.ts';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { clientOf } from './clients.ts';

/** Longer than any test: whoever takes the lead has not waited until it ran out. */
const LONG = 300;
/** Long enough for a busy machine to renew it, short enough to wait for. */
const SHORT = 4;

interface Candidate {
  readonly election: Election;
  readonly news: readonly ElectionNews[];
  readonly tenures: readonly Tenure[];
  /** Stands down in good order. */
  readonly end: () => Promise<void>;
}

/** The candidates of one namespace, and how many of them have ever led at the same time. */
async function makeRace(name: string) {
  const { namespace } = await tenant(name);
  const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
  const race = {
    leading: 0,
    most: 0,
    path: `${path}/cloudoptim-operator`,
    lease: () => controlPlane.api.get<KubeObject>(race.path),
    enter: (identity: string, seconds: number, server?: string): Candidate => {
      const client = clientOf(controlPlane, server, seconds / 4);
      const watches = new Watches(client, 100, () => {});
      const news: ElectionNews[] = [];
      const tenures: Tenure[] = [];
      const stop = new AbortController();
      const election = new Election({ client, watches, namespace, identity, seconds, tell: (each) => news.push(each) });
      const lead = async (tenure: Tenure) => {
        tenures.push(tenure);
        race.most = Math.max(race.most, ++race.leading);
        tenure.signal.addEventListener('abort', () => race.leading--, { once: true });
        const over = AbortSignal.any([tenure.signal, stop.signal]);
        await new Promise<void>((resolve) => over.addEventListener('abort', () => resolve(), { once: true }));
      };
      const running = election.run(lead, stop.signal);
      const end = async () => {
        stop.abort();
        await running;
        await watches.close();
      };
      onTestFinished(end);
      return { election, news, tenures, end };
    },
  };
  return race;
}

const leads = async (candidate: Candidate) => waitFor(() => candidate.election.leads, { what: 'it leads' });
/** A race whose only candidate leads, and can be cut off. */
async function leadThroughProxy(name: string) {
  const race = await makeRace(name);
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: controlPlane.port });
  onTestFinished(() => proxy.close());
  const leader = race.enter('a_1', SHORT, proxy.url);
  await leads(leader);
  return { race, proxy, leader };
}

const leadersOf = (candidates: readonly Candidate[]) => candidates.filter(({ election }) => election.leads);

test('of several that start at once one leads; when it stands down the next one does, at once', async () => {
  const race = await makeRace('election-many');
  const candidates = ['a', 'b', 'c', 'd'].map((each) => race.enter(`${each}_1`, LONG));
  for (let left = candidates.length; left > 0; left--) {
    const [leader] = await waitFor(() => leadersOf(candidates).length > 0 && leadersOf(candidates));
    const others = candidates.filter((each) => each !== leader);
    for (const { election } of others) expect(() => election.check()).toThrow(NotLeading);
    leader?.election.check();
    const { spec } = await race.lease();
    expect(spec).toMatchObject({ leaseDurationSeconds: LONG, leaseTransitions: candidates.length - left });
    expect(leader?.news).toContainEqual(expect.objectContaining({ kind: 'taken' }));
    await leader?.end();
    expect(() => leader?.election.check()).toThrow(NotLeading);
    expect(leader?.news).toContainEqual({ kind: 'ended', reason: 'the lead was given back', givenBack: true });
    expect(leader?.tenures).toHaveLength(1);
  }
  expect((await race.lease()).spec).toMatchObject({ holderIdentity: '', leaseDurationSeconds: 1 });
  expect(race.most).toBe(1);
});

test('who cannot reach the API server stops acting before another one leads, and stands by afterwards', async () => {
  const { race, proxy, leader: first } = await leadThroughProxy('election-away');
  const second = race.enter('b_1', SHORT);
  await waitFor(() => second.election.leader === 'a_1');
  proxy.freeze();
  await leads(second);
  expect(first.tenures[0]?.signal.reason).toMatchObject({ message: 'the lease was not renewed in time' });
  proxy.thaw();
  await waitFor(() => first.news.some((each) => each.kind === 'leader' && each.holder === 'b_1'));
  await second.end();
  await leads(first);
  expect((await race.lease()).spec).toMatchObject({ holderIdentity: 'a_1' });
  expect(race.most).toBe(1);
});

test('alone and cut off, it stops acting and leads again when it can', async () => {
  const { race, proxy, leader: only } = await leadThroughProxy('election-alone');
  await proxy.refuse();
  proxy.cut();
  await waitFor(() => !only.election.leads);
  await waitFor(() => only.news.some(({ kind }) => kind === 'failed'));
  await proxy.accept();
  await leads(only);
  expect(only.tenures).toHaveLength(2);
  // Nobody else has led.
  expect((await race.lease()).spec).toMatchObject({ leaseTransitions: 0 });
});

test('a Lease that is deleted is made again by who leads, and nobody else takes it', async () => {
  const race = await makeRace('election-deleted');
  const first = race.enter('a_1', LONG);
  await leads(first);
  const second = race.enter('b_1', LONG);
  await waitFor(() => second.election.leader === 'a_1');
  const { uid } = (await race.lease()).metadata;
  await controlPlane.api.remove(race.path);
  await waitFor(async () => (await race.lease()).metadata.uid !== uid);
  expect((await race.lease()).spec).toMatchObject({ holderIdentity: 'a_1' });
  await waitFor(() => second.election.leader === 'a_1');
  expect([first.tenures.length, first.election.leads, second.election.leads]).toEqual([1, true, false]);
});

test('a Lease that is deleted after its holder died is made again when it would have run out', async () => {
  const race = await makeRace('election-orphan');
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: controlPlane.port });
  onTestFinished(() => proxy.close());
  const first = race.enter('a_1', SHORT, proxy.url);
  await leads(first);
  const second = race.enter('b_1', SHORT);
  await waitFor(() => second.election.leader === 'a_1');
  proxy.freeze();
  await controlPlane.api.remove(race.path);
  await leads(second);
  expect(race.most).toBe(1);
  expect(first.election.leads).toBe(false);
});

test.each([
  ['emptied', ''],
  ['given to somebody who is not there', 'nobody_1'],
])('a Lease that is %s by hand: who leads stops at once, and it is respected like any other', async (_, holderIdentity) => {
  const race = await makeRace('election-edited');
  const first = race.enter('a_1', SHORT);
  await leads(first);
  const second = race.enter('b_1', SHORT);
  await waitFor(() => second.election.leader === 'a_1');
  await controlPlane.api.patch(race.path, { spec: { holderIdentity } });
  await waitFor(() => first.tenures[0]?.signal.aborted);
  await waitFor(() => leadersOf([first, second]).length === 1);
  expect((await race.lease()).spec).toMatchObject({ leaseTransitions: 1 });
  expect(race.most).toBe(1);
});

test('a Lease that is changed otherwise by hand is renewed as it should be, and the lead goes on', async () => {
  const race = await makeRace('election-labelled');
  const first = race.enter('a_1', LONG);
  await leads(first);
  await controlPlane.api.patch(race.path, { metadata: { labels: { team: 'x' } }, spec: { leaseDurationSeconds: 1, renewTime: null } });
  await waitFor(async () => (await race.lease()).spec?.leaseDurationSeconds === LONG);
  expect((await race.lease()).metadata.labels).toEqual({ team: 'x' });
  expect([first.tenures.length, first.election.leads]).toEqual([1, true]);
});

test('the next process of the same pod leads at once after a crash; one of another pod does not', async () => {
  const race = await makeRace('election-crash');
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: controlPlane.port });
  onTestFinished(() => proxy.close());
  await leads(race.enter('op_uid_1', LONG, proxy.url));
  proxy.freeze();
  const other = race.enter('op_another-uid_1', LONG);
  await waitFor(() => other.election.leader === 'op_uid_1');
  const next = race.enter('op_uid_2', LONG);
  await leads(next);
  expect(other.election.leads).toBe(false);
  expect((await race.lease()).spec).toMatchObject({ holderIdentity: 'op_uid_2', leaseTransitions: 1 });
  proxy.thaw();
});
