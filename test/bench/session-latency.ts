import { waitFor } from '../cluster/wait-for.ts';
import { type Figure, type Line, note, percentile, round } from './figure.ts';
import { RawApi, type WatchEvent } from './raw-api.ts';
import { NAMESPACE, type Rig, withRig } from './rig.ts';
import { session, sessionsPath, watchReady } from './sessions.ts';

/** One more than these is started first and not counted: kubectl fills its cache of the API then. */
const SESSIONS = 40;
const STEPS = ['start', 'hibernate', 'wake'] as const;
type Step = (typeof STEPS)[number];
type Times = Record<Step, number[]>;
const lines = STEPS.flatMap((step) => [`session-${step}-p50`, `session-${step}-p99`]);
const DEPLOYMENTS = `/apis/apps/v1/namespaces/${NAMESPACE}/deployments`;
const SERVICES = `/api/v1/namespaces/${NAMESPACE}/services`;
const PODS = `/api/v1/namespaces/${NAMESPACE}/pods`;

/**
 * Start, hibernate and wake of a Session, from the write that asks for it until its status says so; the same Deployment and Service with kubectl
 * until kubectl says so (peer) and over a bare connection until the pod is ready, or gone (floor). All three wait for the same pod; what ours has
 * more than the floor is the operator's share.
 */
export const sessionLatency: Figure = { name: 'session-latency', lines, measure: () => withRig({}, measure) };

async function measure(rig: Rig): Promise<Line[]> {
  await using operator = await rig.operator();
  await operator.ready();
  await using api = await RawApi.connect(rig.cp, 8);
  const ready = await watchReady(api);
  const pods = await watchPods(api);
  const [ours, peer, floor] = [noTimes(), noTimes(), noTimes()];
  for (let index = 0; index <= SESSIONS; index++) {
    const name = `session-${index}`;
    const objects = await withSession(rig, api, ready, name, ours);
    await withKubectl(rig, name, objects, peer);
    await withNothing(rig, api, pods, `bare-${index}`, objects, floor);
    if (index === 0) for (const times of [ours, peer, floor]) for (const step of STEPS) times[step].length = 0;
  }
  return STEPS.flatMap((step) => {
    const said = (times: Times) => `p50 ${percentile(times[step], 50).toFixed(0)} ms, p99 ${percentile(times[step], 99).toFixed(0)} ms`;
    note(`session-latency: ${step}: ours ${said(ours)}; kubectl ${said(peer)}; floor ${said(floor)}`);
    return [50, 99].map((percent) =>
      line(
        step,
        percent,
        [ours, peer, floor].map((times) => percentile(times[step], percent)),
      ),
    );
  });
}

function noTimes(): Times {
  return { start: [], hibernate: [], wake: [] };
}

function line(step: Step, percent: number, [ours = 0, peer = 0, floor = 0]: readonly number[]): Line {
  const common = { unit: 'ms', peer: round(peer, 1), floor: round(floor, 1), peerName: 'kubectl, the same objects' };
  const goal = '<= 1.2 x kubectl';
  return {
    figure: `session-${step}-p${percent}`,
    ours: round(ours, 1),
    ...common,
    goal,
    met: ours <= 1.2 * peer,
    ratio: round(ours / floor, 2),
  };
}

/** Takes the times of one Session and returns what it was made of. */
async function withSession(
  rig: Rig,
  api: RawApi,
  ready: ReadonlyMap<string, number>,
  name: string,
  times: Times,
): Promise<readonly Bare[]> {
  const path = `${sessionsPath}/${name}`;
  const until = async (state: string, after: number) => {
    const at = await waitFor(
      () => {
        const seen = ready.get(`${name}/${state}`);
        return seen !== undefined && seen > after ? seen : undefined;
      },
      { every: 2, within: 60_000, what: `${name} is ${state}` },
    );
    return at - after;
  };
  const began = performance.now();
  await api.call('POST', sessionsPath, session(name));
  times.start.push(await until('Running', began));
  const objects = await Promise.all([DEPLOYMENTS, SERVICES].map((collection) => rig.cp.api.get<Bare>(`${collection}/${name}`)));
  for (const [step, state] of [
    ['hibernate', 'Hibernated'],
    ['wake', 'Running'],
  ] as const) {
    const asked = performance.now();
    await api.call('PATCH', path, { spec: { state } });
    times[step].push(await until(state, asked));
  }
  await rig.cp.api.remove(path);
  await waitFor(async () => (await rig.cp.api.call('GET', path)).status === 404, { what: `${name} is gone` });
  return objects.map(bare);
}

async function withKubectl(rig: Rig, name: string, items: readonly Bare[], times: Times): Promise<void> {
  const deployment = `deployment/${name}`;
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
  const available = ['wait', deployment, '--for=jsonpath={.status.readyReplicas}=1', '--timeout=60s'];
  const gone = ['wait', 'pod', `--selector=session=${name}`, '--for=delete', '--timeout=60s'];
  times.start.push(await timed(() => kubectl(rig, [['apply', '--filename=-'], available], input)));
  times.hibernate.push(await timed(() => kubectl(rig, [['scale', deployment, '--replicas=0'], gone])));
  times.wake.push(await timed(() => kubectl(rig, [['scale', deployment, '--replicas=1'], available])));
  await kubectl(rig, [['delete', deployment, `service/${name}`, '--timeout=60s'], gone]);
}

async function withNothing(rig: Rig, api: RawApi, pods: Pods, name: string, objects: readonly Bare[], times: Times): Promise<void> {
  const [deployment, service] = objects.map((object) => JSON.parse(JSON.stringify(object).replaceAll(object.metadata.name, name)) as Bare);
  const path = `${DEPLOYMENTS}/${name}`;
  const runs = () => waitFor(() => pods.get(name) === 'ready', { every: 2, within: 60_000, what: `${name} runs` });
  const gone = () => waitFor(() => !pods.has(name), { every: 2, within: 60_000, what: `${name} is gone` });
  const scale = async (replicas: number, done: () => Promise<unknown>) => {
    await api.call('PATCH', path, { spec: { replicas } });
    await done();
  };
  times.start.push(
    await timed(async () => {
      await api.call('POST', SERVICES, service);
      await api.call('POST', DEPLOYMENTS, deployment);
      await runs();
    }),
  );
  times.hibernate.push(await timed(() => scale(0, gone)));
  times.wake.push(await timed(() => scale(1, runs)));
  await rig.cp.api.remove(path, { propagationPolicy: 'Foreground' });
  await rig.cp.api.remove(`${SERVICES}/${name}`);
  await gone();
}

/** What is known of the pod of a session. */
type Pods = ReadonlyMap<string, 'there' | 'ready'>;

interface WatchedPod {
  readonly metadata: { readonly resourceVersion: string; readonly labels?: { readonly session?: string } };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function watchPods(api: RawApi): Promise<Pods> {
  const { body } = await api.call<{ metadata: { resourceVersion: string } }>('GET', PODS);
  const pods = new Map<string, 'there' | 'ready'>();
  await api.watch<WatchedPod>(PODS, body.metadata.resourceVersion, ({ type, object }: WatchEvent<WatchedPod>) => {
    const name = object.metadata.labels?.session ?? '';
    const isReady = object.status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True');
    if (type === 'DELETED') pods.delete(name);
    else pods.set(name, isReady ? 'ready' : 'there');
  });
  return pods;
}

interface Bare {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly spec: object;
}

/** What somebody would write to make the same object; without our labels, by which it would be taken for one that was left behind. */
function bare({ apiVersion, kind, metadata, spec }: Bare): Bare {
  const { clusterIP: _, clusterIPs: __, ...rest } = spec as Record<string, unknown>;
  const { name, namespace } = metadata;
  return { apiVersion, kind, metadata: { name, namespace }, spec: rest };
}

/** Several calls, one after the other; the input is for the first. */
async function kubectl(rig: Rig, calls: readonly (readonly string[])[], input?: string): Promise<void> {
  for (const [index, args] of calls.entries()) {
    const options = index === 0 && input !== undefined ? { input } : {};
    const { code, stderr } = await rig.cp.kubectl([...args, `--namespace=${NAMESPACE}`], options);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`);
  }
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
