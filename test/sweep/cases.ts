import type { Case, Ending } from './case.ts';
import type { Stage } from './stage.ts';

/** Who asks: a backend that is polled, one that pushes, or somebody with kubectl. */
type By = 'poll' | 'push' | 'object';

/** One action with what it takes: its name and member, its task type, and its parameters here and there. */
interface Asked {
  readonly action: string;
  readonly type: string;
  readonly params: (stage: Stage) => Record<string, unknown>;
  readonly parameters: (stage: Stage) => Record<string, unknown>;
}

const onNode = (action: string, type: string): Asked => ({
  action,
  type,
  params: ({ node }) => ({ nodeName: node }),
  parameters: ({ node }) => ({ node_name: node }),
});

const CORDON = onNode('Cordon', 'cordon_node');
const UNCORDON = onNode('Uncordon', 'uncordon_node');
const DRAIN: Asked = {
  action: 'Drain',
  type: 'drain_node',
  params: ({ node }) => ({ nodeName: node, force: true }),
  parameters: ({ node }) => ({ node_name: node, force: true }),
};
const LABEL: Asked = {
  action: 'Label',
  type: 'label_node',
  params: ({ node }) => ({ kind: 'Node', name: node, set: { 'example.com/pool': 'spot' } }),
  parameters: ({ node }) => ({ node_name: node, labels: { 'example.com/pool': 'spot' } }),
};
const onPod = (action: string, type: string): Asked => ({
  action,
  type,
  params: ({ lane, id }) => ({ namespace: lane.namespace, podName: `only-${id}` }),
  parameters: ({ lane, id }) => ({ namespace: lane.namespace, pod_name: `only-${id}` }),
});
const EVICT = onPod('Evict', 'evict_pod');
const DELETE_POD = onPod('DeletePod', 'delete_pod');

async function ask(stage: Stage, by: By, { action, type, params, parameters }: Asked, more: Record<string, unknown> = {}): Promise<void> {
  const member = `${action.charAt(0).toLowerCase()}${action.slice(1)}`;
  if (by === 'object') await stage.object({ action, [member]: { ...params(stage), ...more } });
  else await stage.task(type, parameters(stage), { pushed: by === 'push' });
}

const patched = ({ node }: Stage) => `patch nodes/${node}`;
const evicted = ({ lane }: Stage, pod: string) => `create pods/eviction ${lane.namespace}/${pod}`;
const told = (by: By, result: string): Pick<Ending, 'result'> => (by === 'object' ? {} : { result });

type Lie = NonNullable<Ending['lie']>;

/** Whoever did it, it was not there before: a plain no would be untrue. */
const didNothing: Lie = ({ changed }) => (changed === false ? 'the result says that nothing was changed' : undefined);

/** One write on the node. */
function oneWrite(name: string, by: By, asked: Asked, cordoned: boolean): Case {
  return {
    name,
    play: async (stage) => {
      if (asked === UNCORDON) await stage.lane.cp.api.patch(`/api/v1/nodes/${stage.node}`, { spec: { unschedulable: true } });
      await ask(stage, by, asked);
      await stage.ended();
      return { phase: 'Succeeded', ...told(by, 'success'), writes: [[patched(stage)]], cordoned, lie: didNothing };
    },
  };
}

/** One pod that goes at once. */
function onePod(name: string, by: By, asked: Asked): Case {
  return {
    name,
    play: async (stage) => {
      const pod = await stage.pod('only');
      await ask(stage, by, asked);
      await stage.ended();
      const write = asked === EVICT ? evicted(stage, pod) : `delete pods ${stage.lane.namespace}/${pod}`;
      return { phase: 'Succeeded', ...told(by, 'success'), writes: [[write]], cordoned: false, gone: [pod], lie: didNothing };
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

/** A drain that a budget holds for good, stopped by `stop`; its cordon goes where `undone`. */
function stopped(
  name: string,
  by: By,
  undone: boolean,
  stop: (stage: Stage) => Promise<unknown>,
  ending: Pick<Ending, 'phase' | 'reason' | 'result'>,
): Case {
  return {
    name,
    play: async (stage) => {
      await stage.pod('held', { held: true });
      await ask(stage, by, DRAIN, { uncordonOnFailure: undone, ...(name === 'drain-fails' ? { timeoutSeconds: 2 } : {}) });
      await stop(stage);
      const cordon = patched(stage);
      // A process that comes too late finds that the time is over before it has begun.
      const writes = undone ? [[cordon, cordon], ...(name === 'drain-fails' ? [[]] : [])] : [[cordon]];
      return { ...ending, writes, cordoned: !undone };
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
  oneWrite('cordon', 'poll', CORDON, true),
  oneWrite('cordon-pushed', 'push', CORDON, true),
  oneWrite('cordon-object', 'object', CORDON, true),
  oneWrite('uncordon', 'poll', UNCORDON, false),
  oneWrite('label', 'poll', LABEL, false),
  oneWrite('label-object', 'object', LABEL, false),
  onePod('evict', 'poll', EVICT),
  onePod('evict-object', 'object', EVICT),
  onePod('delete-pod', 'poll', DELETE_POD),
  drain('drain', 'poll', letGo),
  drain('drain-object', 'object', letGo),
  drain('suspend-resume', 'poll', suspended),
  stopped('drain-fails', 'object', true, (stage) => stage.ended(), { phase: 'Failed', reason: 'Timeout' }),
  stopped('cancel', 'poll', false, cancelled, { phase: 'Cancelled', result: 'cancelled' }),
  stopped('cancel-undone', 'object', true, cancelled, { phase: 'Cancelled' }),
  stopped('delete', 'poll', false, deleted, { result: 'cancelled' }),
  stopped('delete-undone', 'object', true, deleted, {}),
  rejected,
  expires('expiry', 'poll', 0),
  expires('expiry-object', 'object', 1),
  start,
];
