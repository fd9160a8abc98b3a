import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Report } from '../../../operator/backends/backend.ts';
import { readFrame } from '../../../operator/backends/cloudoptim/frames.ts';
import { writeResult } from '../../../operator/backends/cloudoptim/result.ts';
import { readItem } from '../../../operator/backends/cloudoptim/task.ts';
import { parseTime } from '../../../operator/backends/time.ts';
import { parseJSON } from '../../../operator/backends/transport/json.ts';
import { parseRetryAfter } from '../../../operator/lib/retry-after.ts';
import { formatSeconds } from '../../../operator/lib/time.ts';
import { taskResult } from './contract.ts';

const date = fc.date({ min: new Date('1970-01-01'), max: new Date('2200-01-01'), noInvalidDate: true });
const id = fc
  .string({ minLength: 1, maxLength: 253, unit: 'binary' })
  .filter((text) => text.trim() !== '' && text !== '.' && text !== '..' && text.length <= 253);

test('every report becomes a valid TaskResult that survives JSON', () => {
  const report: fc.Arbitrary<Report> = fc.record({
    taskID: id,
    action: fc.constantFrom('Drain', 'Cordon', 'Label'),
    outcome: fc.constantFrom('Succeeded', 'Failed', 'Cancelled', 'Expired', 'TimedOut'),
    reason: fc.string(),
    message: fc.string({ unit: 'binary' }),
    startedAt: date,
    finishedAt: date,
    result: fc
      .dictionary(fc.string(), fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null)))
      .map((members) => ({ ...members, remaining: 2, evicted: 1 })),
  });
  fc.assert(
    fc.property(report, (given) => {
      const result = taskResult.parse(JSON.parse(JSON.stringify(writeResult(given))));
      expect(result.task_id).toBe(given.taskID);
      expect(result.error === null).toBe(given.outcome === 'Succeeded');
    }),
  );
});

test('a task written in any spelling is read as the same task', () => {
  const spelling = fc.record({
    idName: fc.constantFrom('task_id', 'action_id', 'id'),
    typeName: fc.constantFrom('task_type', 'action_type', 'type'),
    parametersName: fc.constantFrom('parameters', 'payload'),
    deadlineName: fc.constantFrom('deadline', 'expires_at'),
    upper: fc.boolean(),
  });
  fc.assert(
    fc.property(spelling, id, date, fc.integer({ min: 1, max: 10 }), fc.string(), (names, taskID, at, priority, nodeName) => {
      const item = {
        [names.idName]: taskID,
        [names.typeName]: names.upper ? 'UNCORDON_NODE' : 'uncordon_node',
        [names.parametersName]: { node_name: nodeName, unknown: [1, { deep: true }] },
        [names.deadlineName]: at.toISOString(),
        priority,
        further: 'ignored',
      };
      const task = { kind: 'action', id: taskID, action: 'Uncordon', params: { nodeName }, deadline: at, priority };
      expect(readItem(parseJSON(JSON.stringify(item)), 'c')).toEqual({ task });
    }),
  );
});

test('nothing that JSON can carry makes the intake throw', () => {
  fc.assert(fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => void readItem(value, 'c')));
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.json()), (text) => void readFrame(text)));
  const nearly = fc.record(
    {
      task_id: fc.oneof(fc.string(), fc.integer()),
      task_type: fc.constantFrom('drain_node', 'cordon_node', 'label_node', 'delete_pod', 'evict_pod', '__proto__'),
      parameters: fc.dictionary(
        fc.constantFrom('node_name', 'labels', 'remove', 'namespace', 'pod_name', '__proto__', 'grace_period'),
        fc.jsonValue(),
      ),
      deadline: fc.oneof(fc.string(), fc.jsonValue()),
      priority: fc.jsonValue(),
    },
    { requiredKeys: ['task_id', 'task_type'] },
  );
  fc.assert(
    fc.property(nearly, (item) => {
      const { task, note } = readItem(item, 'c');
      expect(task !== undefined || note !== undefined).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test('times survive the way out and back, with and without zone', () => {
  fc.assert(
    fc.property(date, (at) => {
      const whole = new Date(Math.floor(at.getTime() / 1000) * 1000);
      expect(formatSeconds(at)).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
      expect(parseTime(formatSeconds(at))).toEqual(whole);
      expect(parseTime(`${at.toISOString().slice(0, 23)}000`)).toEqual(at);
    }),
  );
});

test('Retry-After as a date counts from the answer’s own clock', () => {
  fc.assert(
    fc.property(date, fc.integer({ min: 1, max: 3600 }), date, (sent, seconds, own) => {
      const whole = new Date(Math.floor(sent.getTime() / 1000) * 1000);
      const until = new Date(whole.getTime() + seconds * 1000);
      expect(parseRetryAfter(until.toUTCString(), whole.toUTCString(), own)).toBe(seconds);
    }),
  );
});
