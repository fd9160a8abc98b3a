import { isObject } from '../transport/json.ts';

type Parameters = Readonly<Record<string, unknown>>;

/** One of our actions with parameters in its own names, or a sentence on what cannot be mapped. */
export type Mapped = { readonly action: string; readonly params: Readonly<Record<string, unknown>> } | { readonly problem: string };

/** Task type → our action (optimizer.md 2.1, 5.1). Values of a wrong type are passed on: the action's own schema names them. */
export const taskTypes: Readonly<Record<string, (parameters: Parameters) => Mapped>> = {
  drain_node: (parameters) => onNode('Drain', parameters, drainParams(parameters)),
  cordon_node: (parameters) => onNode('Cordon', parameters, pick(parameters, { reason: ['reason'] })),
  uncordon_node: (parameters) => onNode('Uncordon', parameters, pick(parameters, { reason: ['reason'] })),
  label_node: label,
  delete_pod: (parameters) => onPod('DeletePod', parameters),
  evict_pod: (parameters) => onPod('Evict', parameters),
};

/** A grace of 0 would kill at once, which only an escalation may: 1 is the least that is asked for (FIELD.md K19). */
function grace(parameters: Parameters): Parameters {
  const seconds = first(parameters, ['grace_period', 'grace_period_seconds']);
  return seconds === undefined ? {} : { gracePeriodSeconds: seconds === 0 ? 1 : seconds };
}

/**
 * The protocol's defaults, which differ from kubectl's, are made explicit; its default grace of 90 s never shortens a pod's own (5.1). It knows
 * nothing of pods that must not be disrupted, so a task cannot override them (FIELD.md M9), nor of volumes: the backend ends the instance as soon
 * as it hears of the success, so our own default, to wait for them, holds (A23).
 */
function drainParams(parameters: Parameters): Parameters {
  return {
    timeoutSeconds: 600,
    force: false,
    deleteEmptyDirData: true,
    ignoreDaemonSets: true,
    skipNamespaces: ['kube-system', 'kube-public'],
    ...grace(parameters),
    ...pick(parameters, {
      timeoutSeconds: ['timeout_seconds'],
      force: ['force'],
      deleteEmptyDirData: ['delete_emptydir_data'],
      ignoreDaemonSets: ['ignore_daemonsets'],
    }),
  };
}

/** `node_name` (or `node`) → nodeName, else `instance_id` → instanceID, which `sync` looks up. */
function findNode(parameters: Parameters): { nodeName: unknown } | { instanceID: unknown } | undefined {
  const nodeName = first(parameters, ['node_name', 'node']);
  if (nodeName !== undefined) return { nodeName };
  const instanceID = first(parameters, ['instance_id']);
  return instanceID === undefined ? undefined : { instanceID };
}

function onNode(action: string, parameters: Parameters, params: Parameters): Mapped {
  const node = findNode(parameters);
  return node === undefined ? missing('node_name') : { action, params: { ...node, ...params } };
}

function onPod(action: string, parameters: Parameters): Mapped {
  const { namespace, podName } = pick(parameters, { namespace: ['namespace'], podName: ['pod_name'] });
  if (namespace === undefined) return missing('namespace');
  if (podName === undefined) return missing('pod_name');
  const rest = pick(parameters, { uid: ['uid'], timeoutSeconds: ['timeout_seconds'] });
  return { action, params: { namespace, podName, ...grace(parameters), ...rest } };
}

/** Labels of a node, or of a pod where `pod_name` is given. */
function label(parameters: Parameters): Mapped {
  const changes = labelChanges(parameters);
  if ('problem' in changes) return changes;
  const podName = first(parameters, ['pod_name']);
  if (podName !== undefined) {
    const namespace = first(parameters, ['namespace']);
    return namespace === undefined
      ? missing('namespace')
      : { action: 'Label', params: { kind: 'Pod', namespace, name: podName, ...changes } };
  }
  const node = findNode(parameters);
  if (node === undefined) return missing('node_name');
  const target = 'nodeName' in node ? { name: node.nodeName } : node;
  return { action: 'Label', params: { kind: 'Node', ...target, ...changes } };
}

/** A key is removed when its value is null, when it ends with `-` as kubectl writes it, or when `remove` is true or lists it. */
function labelChanges(parameters: Parameters): { set: Parameters; remove: readonly unknown[] } | { problem: string } {
  const labels = parameters.labels ?? undefined;
  const { remove = false } = pick(parameters, { remove: ['remove'] });
  const all = remove === true;
  const named = Array.isArray(remove) ? remove : [];
  if (typeof remove !== 'boolean' && !Array.isArray(remove)) return { problem: 'parameters.remove must be true, false or a list of keys' };
  if (labels === undefined && named.length === 0) return missing('labels');
  if (all && Array.isArray(labels)) return { set: {}, remove: labels };
  if (labels !== undefined && !isObject(labels)) return { problem: 'parameters.labels must be an object of texts' };
  const entries = Object.entries(labels ?? {});
  const goes = ([key, value]: [string, unknown]) => all || value === null || key.endsWith('-');
  const removed = entries.filter(goes).map(([key]) => key.replace(/-$/, ''));
  return { set: Object.fromEntries(entries.filter((entry) => !goes(entry))), remove: [...removed, ...named] };
}

function missing(name: string): { problem: string } {
  return { problem: `parameters.${name} is missing` };
}

function first(parameters: Parameters, names: readonly string[]): unknown {
  return names
    .map((name) => (Object.hasOwn(parameters, name) ? parameters[name] : undefined))
    .find((value) => value !== undefined && value !== null);
}

/** Ours ← theirs for all that are given; null counts as absent, everything else of theirs is left out. */
function pick(parameters: Parameters, names: Readonly<Record<string, readonly string[]>>): Record<string, unknown> {
  const found = Object.entries(names).map(([ours, theirs]) => [ours, first(parameters, theirs)] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}
