import { describe, expect, test } from 'vitest';
import { readItem } from '../../../operator/backends/cloudoptim/task.ts';
import { startRig } from './rig.ts';

const drainDefaults = {
  timeoutSeconds: 600,
  force: false,
  deleteEmptyDirData: true,
  ignoreDaemonSets: true,
  skipNamespaces: ['kube-system', 'kube-public'],
};
const node = { node_name: 'w1' };
const pod = { namespace: 'shop', pod_name: 'cart-0' };

describe('a task becomes an action with our parameters', () => {
  const cases: [string, Record<string, unknown>, string, unknown][] = [
    ['drain_node', node, 'Drain', { nodeName: 'w1', ...drainDefaults }],
    ['drain_node', { node: 'w1' }, 'Drain', { nodeName: 'w1', ...drainDefaults }],
    ['drain_node', { instance_id: 'i-0abc' }, 'Drain', { instanceID: 'i-0abc', ...drainDefaults }],
    ['drain_node', { ...node, instance_id: 'i-0abc' }, 'Drain', { nodeName: 'w1', ...drainDefaults }],
    ['drain_node', { ...node, grace_period: 5 }, 'Drain', { nodeName: 'w1', ...drainDefaults, gracePeriodSeconds: 5 }],
    ['drain_node', { ...node, grace_period_seconds: 0 }, 'Drain', { nodeName: 'w1', ...drainDefaults, gracePeriodSeconds: 1 }],
    ['delete_pod', { ...pod, grace_period: 0 }, 'DeletePod', { namespace: 'shop', podName: 'cart-0', gracePeriodSeconds: 1 }],
    ['drain_node', { ...node, grace_period: null }, 'Drain', { nodeName: 'w1', ...drainDefaults }],
    [
      'drain_node',
      { ...node, force: true, delete_emptydir_data: false, ignore_daemonsets: false, timeout_seconds: 30 },
      'Drain',
      { nodeName: 'w1', ...drainDefaults, force: true, deleteEmptyDirData: false, ignoreDaemonSets: false, timeoutSeconds: 30 },
    ],
    [
      'drain_node',
      { ...node, timeout_seconds: 'soon', color: 'red' },
      'Drain',
      { nodeName: 'w1', ...drainDefaults, timeoutSeconds: 'soon' },
    ],
    ['DRAIN_NODE', { node_name: 7 }, 'Drain', { nodeName: 7, ...drainDefaults }],
    ['cordon_node', { ...node, reason: 'cheaper', surprise: 1 }, 'Cordon', { nodeName: 'w1', reason: 'cheaper' }],
    ['uncordon_node', { instance_id: 'i-1' }, 'Uncordon', { instanceID: 'i-1' }],
    [
      'label_node',
      { ...node, labels: { a: '1', b: null, 'c-': '' } },
      'Label',
      { kind: 'Node', name: 'w1', set: { a: '1' }, remove: ['b', 'c'] },
    ],
    ['label_node', { ...node, labels: { a: '1' }, remove: true }, 'Label', { kind: 'Node', name: 'w1', set: {}, remove: ['a'] }],
    ['label_node', { ...node, labels: ['a', 'b'], remove: true }, 'Label', { kind: 'Node', name: 'w1', set: {}, remove: ['a', 'b'] }],
    ['label_node', { ...node, labels: { a: 1 }, remove: ['b'] }, 'Label', { kind: 'Node', name: 'w1', set: { a: 1 }, remove: ['b'] }],
    ['label_node', { instance_id: 'i-1', labels: { a: 'x' } }, 'Label', { kind: 'Node', instanceID: 'i-1', set: { a: 'x' }, remove: [] }],
    [
      'label_node',
      { ...pod, labels: { a: 'x' } },
      'Label',
      { kind: 'Pod', namespace: 'shop', name: 'cart-0', set: { a: 'x' }, remove: [] },
    ],
    ['delete_pod', pod, 'DeletePod', { namespace: 'shop', podName: 'cart-0' }],
    [
      'evict_pod',
      { ...pod, uid: 'u', grace_period: 1, timeout_seconds: 9 },
      'Evict',
      { namespace: 'shop', podName: 'cart-0', uid: 'u', gracePeriodSeconds: 1, timeoutSeconds: 9 },
    ],
  ];
  test.each(cases)('%s %j', (task_type, parameters, action, params) => {
    expect(readItem({ task_id: 't1', task_type, parameters }, 'c')).toEqual({ task: { kind: 'action', id: 't1', action, params } });
  });
});

describe('the members of a task have several spellings', () => {
  const cases: [string, Record<string, unknown>, Record<string, unknown>][] = [
    ['task_id and task_type', { task_id: 'a', task_type: 'cordon_node', parameters: node }, { id: 'a' }],
    ['action_id and action_type', { action_id: 'a', action_type: 'CORDON_NODE', payload: node }, { id: 'a' }],
    ['id and type', { id: 'a', type: 'Cordon_Node', payload: node }, { id: 'a' }],
    ['a number as id', { task_id: 42, task_type: 'cordon_node', parameters: node }, { id: '42' }],
    ['null counts as absent', { task_id: null, id: 'b', task_type: 'cordon_node', parameters: null, payload: node }, { id: 'b' }],
    ['own cluster', { task_id: 'a', task_type: 'cordon_node', parameters: node, cluster_id: 'c' }, { id: 'a' }],
    ['deadline with Z', { deadline: '2026-01-02T03:04:05Z' }, { deadline: new Date('2026-01-02T03:04:05Z') }],
    ['deadline without zone is UTC', { deadline: '2026-01-02T03:04:05.123456' }, { deadline: new Date('2026-01-02T03:04:05.123Z') }],
    ['deadline with an offset', { expires_at: '2026-01-02 03:04:05+02:00' }, { deadline: new Date('2026-01-02T01:04:05Z') }],
    ['created_at gives one hour', { created_at: '2026-01-02T03:04:05Z' }, { deadline: new Date('2026-01-02T04:04:05Z') }],
    [
      'deadline beats a broken created_at',
      { deadline: '2026-01-02T03:04:05Z', created_at: 'x' },
      { deadline: new Date('2026-01-02T03:04:05Z') },
    ],
    ['priority', { priority: 1 }, { priority: 1 }],
    ['priority as text', { priority: '10' }, { priority: 10 }],
    ['created_by', { created_by: 'engine' }, { requestedBy: 'engine' }],
    ['a created_by of another kind is left out', { created_by: { a: 1 } }, {}],
  ];
  test.each(cases)('%s', (_name, item, expected) => {
    const base = 'parameters' in item || 'payload' in item ? {} : { task_id: 't1', task_type: 'cordon_node', parameters: node };
    const task = { kind: 'action', id: 't1', action: 'Cordon', params: { nodeName: 'w1' }, ...expected };
    expect(readItem({ ...base, ...item }, 'c')).toEqual({ task });
  });

  test.each([[0], [11], ['high'], [1.5], [true], [[3]]])('priority %j is ignored and noted', (priority) => {
    const { task, note } = readItem({ task_id: 't1', task_type: 'cordon_node', parameters: node, priority }, 'c');
    expect(task).toEqual({ kind: 'action', id: 't1', action: 'Cordon', params: { nodeName: 'w1' } });
    expect(note).toBe('priority of task t1 is not 1 to 10 and was ignored');
  });
});

describe('an item that cannot be carried out is answered, if it has an id', () => {
  const cases: [Record<string, unknown>, string, RegExp][] = [
    [{ task_type: 'launch_nodes' }, 'UnknownTaskType', /^Unknown task type: launch_nodes; this operator runs drain_node, cordon_node, /],
    [{ task_type: 'constructor' }, 'UnknownTaskType', /Unknown task type: constructor/],
    [{ task_type: 'x\u0000y'.repeat(90) }, 'UnknownTaskType', /^Unknown task type: (x y){33}/],
    [{ cluster_id: 'other' }, 'WrongCluster', /^The task is for cluster other; this operator runs in c$/],
    [{ cluster_id: {} }, 'MalformedTask', /^cluster_id must be a text or a number$/],
    [{ task_type: undefined }, 'MalformedTask', /^task_type is missing$/],
    [{ task_type: 5 }, 'MalformedTask', /^task_type must be a text$/],
    [{ task_type: ' ' }, 'MalformedTask', /^task_type must not be empty$/],
    [{ parameters: [] }, 'MalformedTask', /^parameters must be an object$/],
    [{ parameters: undefined, payload: 'x' }, 'MalformedTask', /^payload must be an object$/],
    [{ parameters: undefined, payload: {} }, 'MalformedTask', /^payload.node_name is missing$/],
    [{ parameters: {} }, 'MalformedTask', /^parameters.node_name is missing$/],
    [{ task_type: 'delete_pod', parameters: { pod_name: 'p' } }, 'MalformedTask', /^parameters.namespace is missing$/],
    [{ task_type: 'delete_pod', parameters: { namespace: 'n' } }, 'MalformedTask', /^parameters.pod_name is missing$/],
    [{ task_type: 'label_node' }, 'MalformedTask', /^parameters.labels is missing$/],
    [
      { task_type: 'label_node', parameters: { ...node, labels: 'a=b' } },
      'MalformedTask',
      /^parameters.labels must be an object of texts$/,
    ],
    [{ task_type: 'label_node', parameters: { ...node, labels: {}, remove: 'a' } }, 'MalformedTask', /^parameters.remove must be/],
    [{ task_type: 'label_node', parameters: { labels: {} } }, 'MalformedTask', /^parameters.node_name is missing$/],
    [{ task_type: 'label_node', parameters: { pod_name: 'p', labels: {} } }, 'MalformedTask', /^parameters.namespace is missing$/],
    [{ deadline: 'tomorrow' }, 'MalformedTask', /^deadline is not a date and time/],
    [{ expires_at: 1764324000 }, 'MalformedTask', /^expires_at must be a text such as/],
    [{ deadline: '2026-02-30T00:00:00Z' }, 'MalformedTask', /^deadline is not/],
    [{ created_at: 'yesterday' }, 'MalformedTask', /^created_at is not/],
    [{ task_id: 'x'.repeat(254) }, 'MalformedTask', /^task_id is longer than 253 characters$/],
  ];
  test.each(cases)('%j', (changes, reason, message) => {
    const item = { task_id: 't1', task_type: 'cordon_node', parameters: node, ...changes };
    expect(readItem(item, 'c')).toEqual({ task: { kind: 'invalid', id: item.task_id, reason, message: expect.stringMatching(message) } });
  });

  const hopeless = [
    null,
    5,
    'text',
    [],
    {},
    { task_id: '' },
    { task_id: '..' },
    { task_id: {} },
    { task_id: '\ud800' },
    { task_id: 'x'.repeat(3000) },
  ];
  test.each(hopeless.map((item) => [item]))('without a usable id there is only a note: %j', (item) => {
    expect(readItem(item, 'c')).toEqual({ note: expect.any(String) });
  });
});

test.each(['array', 'tasks'] as const)('a poll answered with shape "%s" yields its tasks, the bad ones among them', async (listShape) => {
  const { backend, tasks, contacts, until } = await startRig({ backend: { listShape } });
  backend.tasks.add(17);
  backend.tasks.add({ task_type: 'cordon_node' });
  backend.tasks.add({ task_id: 'bad', task_type: 'resize' });
  backend.addTask({ task_id: 'good', task_type: 'cordon_node', parameters: node });
  await until(() => tasks.some((task) => task.id === 'good') && tasks.some((task) => task.id === 'bad'));
  await until(() =>
    contacts.some((event) => event.kind === 'malformed' && event.message === 'In a poll: an item is a number; an item has no task_id'),
  );
  expect(backend.violations).toEqual([]);
});

test.each(['actions', 'commands'])('a list under "%s" is read too', async (member) => {
  const { backend, tasks, until } = await startRig();
  const text = JSON.stringify({ [member]: [{ id: 1, type: 'CORDON_NODE', payload: node }] });
  backend.fail('tasks', { kind: 'invalidJSON', text });
  expect(await until(() => tasks[0])).toMatchObject({ id: '1', action: 'Cordon' });
});

test.each(['', 'null', ' \n', '{"tasks":[]}'])('the poll answer %j holds no task and no error', async (text) => {
  const { backend, tasks, contacts, until } = await startRig();
  const fault = backend.fail('tasks', { kind: 'invalidJSON', text }, 3);
  await until(() => fault.hits === 3 && backend.heard.polls.length > 3);
  expect(tasks).toEqual([]);
  expect(new Set(contacts.map((event) => event.kind))).toEqual(new Set(['contact', 'streaming']));
});

test('ids beyond 2^53 keep all their digits', async () => {
  const { backend, tasks, until } = await startRig();
  const task = (id: string) => `{"id":${id},"type":"cordon_node","payload":{"node_name":"w1"}}`;
  backend.fail('tasks', { kind: 'invalidJSON', text: `[${task('9007199254740993')},${task('9007199254740992')}]` });
  await until(() => tasks.length === 2);
  expect(tasks.map((each) => each.id)).toEqual(['9007199254740993', '9007199254740992']);
});

test('a task is yielded again as long as the backend repeats it, in the order of the answer', async () => {
  const { backend, tasks, until } = await startRig({ backend: { redelivery: 'always' } });
  backend.tasks.order = 'reversed';
  backend.tasks.copies = 2;
  for (const task_id of ['a', 'b']) backend.addTask({ task_id, task_type: 'cordon_node', parameters: node });
  await until(() => tasks.length >= 8);
  const sequence = tasks.map((task) => task.id).join('');
  expect(sequence).toContain('bbaabbaa');
});
