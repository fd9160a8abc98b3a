import { describe, expect, test } from 'vitest';
import type { ActionDefinition } from '../../operator/actions/action.ts';
import { actions } from '../../operator/actions/index.ts';
import { parseActionSpec } from '../../operator/api/parse-action.ts';
import { request } from './action-rule-cases.ts';

const all: readonly ActionDefinition[] = actions;
const [second, first] = actions;

test.each(all)('the example of $name can be executed', (action) => {
  const parsed = parseActionSpec(request(action), actions);
  expect(parsed).toMatchObject({ ok: true, definition: action, fields: { mode: 'Execute', priority: 5, suspend: false, cancel: false } });
});

test('members that the action does not know are left out', () => {
  const spec = request(first, { [first.member]: { ...first.example, surprise: 1 } });
  expect(parseActionSpec(spec, actions)).toMatchObject({ ok: true, params: expect.not.objectContaining({ surprise: 1 }) });
});

describe('parseActionSpec names the field of', () => {
  test.each<[string, unknown, string]>([
    ['no spec', undefined, 'spec.action: must be one of'],
    ['a spec that is no object', 'text', 'spec.action: must be one of'],
    ['an unknown action', { action: 'Reboot' }, `spec.action: must be one of ${actions.map((each) => each.name).join(', ')}`],
    ['missing parameters', { action: first.name }, `spec.${first.member}: `],
    ['a missing parameter', { action: first.name, [first.member]: {} }, `spec.${first.member}.nodeName: `],
    [
      'parameters of another action',
      request(first, { [second.member]: { ...second.example } }),
      `spec.${second.member}: does not belong to the action`,
    ],
    ['a priority out of range', request(first, { priority: 11 }), 'spec.priority: '],
    ['a deadline that is no time', request(first, { deadline: 'tomorrow' }), 'spec.deadline: must be an RFC 3339 time'],
    ['a member of source', request(first, { source: { backend: 'prod' } }), 'spec.source.taskID: '],
  ])('%s', (_, spec, problem) => {
    const parsed = parseActionSpec(spec, actions);
    expect(parsed.ok ? [] : parsed.problems).toEqual(expect.arrayContaining([expect.stringContaining(problem)]));
  });
});
