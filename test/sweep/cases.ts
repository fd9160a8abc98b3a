import type { Case, Ending } from './case.ts';
import { sessionCases } from './session-cases.ts';
import type { Stage } from './stage.ts';

/** Who asks: a backend that is polled, one that pushes, or somebody with kubectl. */
type By = 'poll' | 'push' | 'object';

/** One action with what it takes: its name, its task type, its parameters here and there, and what it writes. */
interface Asked {
  readonly action: string;
  readonly type: string;
  readonly params: (stage: Stage) => Record<string, unknown>;
  readonly parameters: (stage: Stage) => Record<string, unknown>;
  /** The one write that it is for, as the audit log has it. */
  readonly write: (stage: Stage) => string;
  /** Makes what it is aimed at, or brings it into the state before. */
  readonly prepare?: (stage: Stage) => Promise<unknown>;
}

const patched = ({ node }: Stage) => `patch nodes/${node}`;
const evicted = ({ lane }: Stage, pod: string) => `create pods/eviction ${lane.namespace}/${pod}`;

const onNode = (action: string, type: string): Asked => ({
  action,
  type,
  params: ({ node }) => ({ nodeName: node }),
  parameters: ({ node }) => ({ node_name: node }),
  write: patched,
});

const CORDON = onNode('Cordon', 'cordon_node');
const UNCORDON: Asked = {
  ...onNode('Uncordon', 'uncordon_node'),
  prepare: ({ lane, node }) => lane.cp.api.patch(`/api/v1/nodes/${node}`, { spec: { unschedulable: true } }),
};
const DRAIN: Asked = {
  ...onNode('Drain', 'drain_node'),
  params: ({ node }) => ({ nodeName: node, force: true }),
  parameters: ({ node }) => ({ node_name: node, force: true }),
};
const LABEL: Asked = {
  ...onNode('Label', 'label_node'),
  params: ({ node }) => ({ kind: 'Node', name: node, set: { 'example.com/pool': 'spot' } }),
  parameters: ({ node }) => ({ node_name: node, labels: { 'example.com/pool': 'spot' } }),
};
const onPod = (action: string, type: string): Omit<Asked, 'write'> => ({
  action,
  type,
  params: ({ lane, id }) => ({ namespace: lane.namespace, podName: `only-${id}` }),
  parameters: ({ lane, id }) => ({ namespace: lane.namespace, pod_name: `only-${id}` }),
  prepare: (stage) => stage.pod('only'),
});
const EVICT: Asked = { ...onPod('Evict', 'evict_pod'), write: (stage) => evicted(stage, `only-${stage.id}`) };
const DELETE_POD: Asked = {
  ...onPod('DeletePod', 'delete_pod'),
  write: ({ lane, id }) => `delete pods ${lane.namespace}/only-${id}`,
};

const SCALE: Asked = {
  action: 'UpdateWorkload',
  type: '',
  params: ({ lane, id }) => ({ kind: 'Deployment', namespace: lane.namespace, name: `web-${id}`, replicas: 2 }),
  parameters: () => ({}),
  write: ({ lane, id }) => `patch deployments/scale ${lane.namespace}/web-${id}`,
  prepare: (stage) => stage.deployment('web'),
};

async function ask(stage: Stage, by: By, { action, type, params, parameters }: Asked, more: Record<string, unknown> = {}): Promise<void> {
  const member = `${action.charAt(0).toLowerCase()}${action.slice(1)}`;
  if (by === 'object') await stage.object({ action, [member]: { ...params(stage), ...more } });
  else await stage.task(type, parameters(stage), { pushed: by === 'push' });
}

const told = (by: By, result: string): Pick<Ending, 'result'> => (by === 'object' ? {} : { result });

type Lie = NonNullable<Ending['lie']>;

/** Whoever did it, it was not there before: a plain no would be untrue. */
const didNothing: Lie = ({ changed }) => (changed === false ? 'the result says that nothing was changed' : undefined);

/** One write, and what it leaves. */
function oneWrite(name: string, by: By, asked: Asked, { cordoned = false, gone = false } = {}): Case {
  return {
    name,
    play: async (stage) => {
      await asked.prepare?.(stage);
      await ask(stage, by, asked);
      await stage.ended();
      const pods = gone ? [`only-${stage.id}`] : [];
      return { phase: 'Succeeded', ...told(by, 'success'), writes: [[asked.write(stage)]], cordoned, gone: pods, lie: didNothing };
    },
  };
}

/** A node with a free pod and one that a budget holds until `meanwhile` lets it go, or not. */
function drain(name: string, by: By, meanwhile: (stage: Stage, held: string) => Promise<unknown>): Case {
  return {
    name,
    play: async (stage) => {
      const [free, held] = await Promise.all([stage.pod('free'), stage.pod('held', { held: true })]);
      await ask(stage, by, DRAIN);
      await meanwhile(stage, held);
      await stage.ended();
      const writes = [patched(stage), evicted(stage, free), evicted(stage, held)];
      return { phase: 'Succeeded', ...told(by, 'success'), writes: [writes], cordoned: true, gone: [free, held], lie: missedPods };
    },
  };
}

const missedPods: Lie = ({ total, evicted: gone, remaining }) =>
  total === 2 && gone === 2 && remaining === 0 ? undefined : 'the result does not count two pods';

type Stopped = Pick<Ending, 'phase' | 'reason' | 'result'>;

/** A drain that a budget holds until `stop` ends it; with `uncordonOnFailure` its cordon goes. */
function stopped(name: string, by: By, more: Record<string, unknown>, stop: (stage: Stage) => Promise<unknown>, ending: Stopped): Case {
  const undone = more.uncordonOnFailure === true;
  return {
    name,
    play: async (stage) => {
      await stage.pod('held', { held: true });
      await ask(stage, by, DRAIN, more);
      await stop(stage);
      const cordon = patched(stage);
      // A process that comes too late finds that the time is over before it has begun.
      const never = more.timeoutSeconds === undefined ? [] : [[]];
      return { ...ending, writes: [undone ? [cordon, cordon] : [cordon], ...never], cordoned: !undone };
    },
  };
}

const letGo = async (stage: Stage, held: string) => {
  await stage.held();
  await stage.letGo(held);
};

const suspended = async (stage: Stage, held: string) => {
  await stage.held();
  await stage.patch({ suspend: true });
  await stage.until(({ status }) => status?.phase === 'Suspended', 'is suspended');
  await stage.letGo(held);
  await stage.patch({ suspend: false });
};

const cancelled = async (stage: Stage) => {
  await stage.held();
  await stage.patch({ cancel: true });
  await stage.ended();
};

const deleted = async (stage: Stage) => {
  await stage.held();
  await stage.lane.actions.remove(stage.name);
  await stage.gone();
};

/** The object is deleted by the operator, once, after its result was taken. */
function expires(name: string, by: By, seconds: number): Case {
  return {
    name,
    play: async (stage) => {
      await ask(stage, by, CORDON);
      if (by === 'object') await stage.until(() => true, 'is there');
      else await stage.resultTaken();
      await stage.patch({ ttlSecondsAfterFinished: seconds });
      await stage.gone();
      const removed = `delete optimizationactions ${stage.lane.namespace}/${stage.name}`;
      return { phase: 'Succeeded', ...told(by, 'success'), writes: [[patched(stage), removed]], cordoned: true, lie: didNothing };
    },
  };
}

const rejected: Case = {
  name: 'rejected',
  play: async (stage) => {
    await stage.task('reboot_node', { node_name: stage.node });
    await stage.resultTaken();
    return { result: 'failed', writes: [[]], cordoned: false };
  },
};

/** The start of a process that finds a drain which another has begun. */
const start: Case = {
  name: 'start',
  fromStart: true,
  play: async (stage) => {
    const held = await stage.pod('held', { held: true });
    await ask(stage, 'poll', DRAIN);
    await stage.held();
    await stage.startAnew();
    await stage.letGo(held);
    await stage.ended();
    const writes = [patched(stage), evicted(stage, held)];
    return { phase: 'Succeeded', result: 'success', writes: [writes], cordoned: true, gone: [held] };
  },
};

/** Every case of the sweep; a new action adds one line. */
export const cases: readonly Case[] = [
  oneWrite('cordon', 'poll', CORDON, { cordoned: true }),
  oneWrite('cordon-pushed', 'push', CORDON, { cordoned: true }),
  oneWrite('cordon-object', 'object', CORDON, { cordoned: true }),
  oneWrite('uncordon', 'poll', UNCORDON),
  oneWrite('label', 'poll', LABEL),
  oneWrite('label-object', 'object', LABEL),
  oneWrite('evict', 'poll', EVICT, { gone: true }),
  oneWrite('evict-object', 'object', EVICT, { gone: true }),
  oneWrite('delete-pod', 'poll', DELETE_POD, { gone: true }),
  // Backends cannot ask for it yet.
  oneWrite('update-workload', 'object', SCALE),
  drain('drain', 'poll', letGo),
  drain('drain-object', 'object', letGo),
  drain('suspend-resume', 'poll', suspended),
  stopped('drain-fails', 'object', { uncordonOnFailure: true, timeoutSeconds: 2 }, (stage) => stage.ended(), {
    phase: 'Failed',
    reason: 'Timeout',
  }),
  stopped('cancel', 'poll', {}, cancelled, { phase: 'Cancelled', result: 'cancelled' }),
  stopped('cancel-undone', 'object', { uncordonOnFailure: true }, cancelled, { phase: 'Cancelled', reason: 'Cancelled' }),
  stopped('delete', 'poll', {}, deleted, { result: 'cancelled' }),
  stopped('delete-undone', 'object', { uncordonOnFailure: true }, deleted, {}),
  rejected,
  expires('expiry', 'poll', 0),
  expires('expiry-object', 'object', 1),
  start,
  ...sessionCases,
];
