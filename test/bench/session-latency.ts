import { type Figure, type Line, note, percentile, round } from './figure.ts';
import { NAMESPACE, type Rig, withRig } from './rig.ts';
import { session } from './sessions.ts';

/** One more than these is started first and not counted: kubectl fills its cache of the API then. */
const SESSIONS = 40;
const STEPS = ['start', 'hibernate', 'wake'] as const;
type Step = (typeof STEPS)[number];
type Times = Record<Step, number[]>;
const lines = STEPS.flatMap((step) => [`session-${step}-p50`, `session-${step}-p99`]);

/**
 * Start, hibernate and wake with kubectl until it says that it is so: of a Session, and of the same Deployment and Service without one. Both
 * wait for the same pod, so what differs is the operator's share.
 */
export const sessionLatency: Figure = { name: 'session-latency', lines, measure: () => withRig({}, measure) };

async function measure(rig: Rig): Promise<Line[]> {
  await using operator = await rig.operator();
  await operator.ready();
  const ours: Times = { start: [], hibernate: [], wake: [] };
  const peer: Times = { start: [], hibernate: [], wake: [] };
  for (let index = 0; index <= SESSIONS; index++) {
    const name = `session-${index}`;
    const objects = await withSession(rig, name, ours);
    await withoutSession(rig, name, objects, peer);
    if (index === 0) for (const times of [ours, peer]) for (const step of STEPS) times[step].length = 0;
  }
  return STEPS.flatMap((step) => {
    note(
      `session-latency: ${step} p50 ${said(ours[step], 50)}, p99 ${said(ours[step], 99)}; without a Session ${said(peer[step], 50)}, ${said(peer[step], 99)}`,
    );
    return [50, 99].map((percent) => line(`session-${step}-p${percent}`, percentile(ours[step], percent), percentile(peer[step], percent)));
  });
}

function line(figure: string, mine: number, theirs: number): Line {
  const ratio = round(mine / theirs, 2);
  const common = { unit: 'ms', floor: null, goal: '<= 1.2 x the same objects by kubectl', peerName: 'kubectl' };
  return { figure, ours: round(mine, 1), peer: round(theirs, 1), ...common, met: ratio <= 1.2, ratio };
}

/** Takes the times of one Session and returns what it was made of. */
async function withSession(rig: Rig, name: string, times: Times): Promise<string> {
  const object = `sessions.cloudoptim.io/${name}`;
  times.start.push(
    await timed(async () => {
      await kubectl(rig, ['apply', '--filename=-'], JSON.stringify(session(name)));
      await kubectl(rig, ['wait', object, '--for=condition=Ready', '--timeout=60s']);
    }),
  );
  const paths = [`/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${name}`, `/api/v1/namespaces/${NAMESPACE}/services/${name}`];
  const objects = await Promise.all(paths.map((path) => rig.cp.api.get<Bare>(path)));
  for (const [step, state] of [
    ['hibernate', 'Hibernated'],
    ['wake', 'Running'],
  ] as const) {
    times[step].push(
      await timed(async () => {
        await kubectl(rig, ['patch', object, '--type=merge', `--patch={"spec":{"state":"${state}"}}`]);
        await kubectl(rig, ['wait', object, `--for=jsonpath={.status.phase}=${state}`, '--timeout=60s']);
      }),
    );
  }
  await kubectl(rig, ['delete', object, '--timeout=60s']);
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects.map(bare) });
}

async function withoutSession(rig: Rig, name: string, objects: string, times: Times): Promise<void> {
  const available = ['wait', `deployment/${name}`, '--for=condition=Available', '--timeout=60s'];
  times.start.push(
    await timed(async () => {
      await kubectl(rig, ['apply', '--filename=-'], objects);
      await kubectl(rig, available);
    }),
  );
  times.hibernate.push(
    await timed(async () => {
      await kubectl(rig, ['scale', `deployment/${name}`, '--replicas=0']);
      await kubectl(rig, ['wait', 'pod', `--selector=session=${name}`, '--for=delete', '--timeout=60s']);
    }),
  );
  times.wake.push(
    await timed(async () => {
      await kubectl(rig, ['scale', `deployment/${name}`, '--replicas=1']);
      await kubectl(rig, ['wait', `deployment/${name}`, '--for=jsonpath={.status.readyReplicas}=1', '--timeout=60s']);
    }),
  );
  await kubectl(rig, ['delete', `deployment/${name}`, `service/${name}`, '--timeout=60s']);
  await kubectl(rig, ['wait', 'pod', `--selector=session=${name}`, '--for=delete', '--timeout=60s']);
}

interface Bare {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string; readonly labels?: object };
  readonly spec: object;
}

/** What somebody would write to make the same object. */
function bare({ apiVersion, kind, metadata, spec }: Bare) {
  const { clusterIP: _, clusterIPs: __, ...rest } = spec as Record<string, unknown>;
  const { name, namespace, labels } = metadata;
  return { apiVersion, kind, metadata: { name, namespace, labels }, spec: rest };
}

async function kubectl(rig: Rig, args: readonly string[], input?: string): Promise<void> {
  const { code, stderr } = await rig.cp.kubectl([...args, `--namespace=${NAMESPACE}`], input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr.trim()}`);
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

function said(times: readonly number[], percent: number): string {
  return `${percentile(times, percent).toFixed(0)} ms`;
}
