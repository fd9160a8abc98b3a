import type { ActionDefinition } from '../../operator/actions/action.ts';
import { actions } from '../../operator/actions/index.ts';
import type { JsonObject, JsonValue } from '../../operator/lib/json.ts';
import type { Ask, RuleCase } from './rule-case.ts';

const plural = 'optimizationactions';

/** A request for this action with its example parameters and these other members. */
export function request(action: ActionDefinition, more: JsonObject = {}): JsonObject {
  return { action: action.name, [action.member]: action.example as JsonValue, ...more };
}

const all: readonly ActionDefinition[] = actions;
const [drain, cordon] = actions;
const first: ActionDefinition = cordon;
const second: ActionDefinition = drain;
const same: Ask = { from: request(first), to: request(first) };

/** The example with another target. */
function retargeted(action: ActionDefinition): JsonObject {
  const example = action.example as JsonObject;
  if (example.sessionRef) return { ...example, sessionRef: { name: 'another-one' } };
  const field = ['nodeName', 'podName', 'name'].find((each) => example[each] !== undefined) ?? '';
  return { ...example, [field]: 'another-one' };
}

function becomes(before: JsonObject, after: JsonObject): Ask {
  return { from: request(first, before), to: request(first, after) };
}

function union(action: ActionDefinition): RuleCase {
  const other = action === first ? second : first;
  const field = `spec.${action.member}`;
  return {
    plural,
    message: `${field} must be set if and only if spec.action is ${action.name}`,
    accepts: [{ create: request(action) }, { create: request(other) }],
    refuses: [
      { create: { action: action.name }, says: `${field} is missing: set it to the parameters of the action ${action.name}` },
      {
        create: request(other, { [action.member]: action.example as JsonValue }),
        says: `${field} does not belong to the action ${other.name}: remove it, or set spec.action to ${action.name}`,
      },
    ],
  };
}

function immutable(field: string, accepts: readonly Ask[], refuses: readonly Ask[]): RuleCase {
  return { plural, message: `spec.${field} is immutable: delete this object and create another one`, accepts, refuses };
}

function immutableMember(action: ActionDefinition): RuleCase {
  const other = action === first ? second : first;
  return immutable(
    action.member,
    [{ from: request(action), to: request(action) }],
    [
      { from: request(action), to: request(action, { [action.member]: retargeted(action) }) },
      { from: request(action), to: { action: action.name } },
      { from: request(other), to: request(other, { [action.member]: action.example as JsonValue }) },
    ],
  );
}

function immutableOptional(field: string, value: JsonValue, another: JsonValue): RuleCase {
  return immutable(
    field,
    [same, becomes({ [field]: value }, { [field]: value })],
    [becomes({ [field]: value }, { [field]: another }), becomes({}, { [field]: value }), becomes({ [field]: value }, {})],
  );
}

const source = { backend: 'prod', taskID: 't-1' };

/** An accepting and a refusing case for every CEL rule of OptimizationAction. */
export const actionRuleCases: readonly RuleCase[] = [
  ...all.map(union),
  immutable('action', [same], [{ from: request(first), to: request(second) }]),
  ...all.map(immutableMember),
  immutable('mode', [becomes({}, { mode: 'Execute' })], [becomes({}, { mode: 'Plan' }), becomes({ mode: 'Plan' }, {})]),
  immutable('priority', [becomes({}, { priority: 5 })], [becomes({}, { priority: 1 }), becomes({ priority: 1 }, {})]),
  immutableOptional('deadline', '2030-01-01T00:00:00Z', '2030-01-02T00:00:00Z'),
  immutableOptional('targetUID', 'uid-1', 'uid-2'),
  immutableOptional('source', source, { ...source, requestedBy: 'ada' }),
  {
    plural,
    message: 'spec.cancel stays true once it is true: create another object to have it done after all',
    accepts: [becomes({}, { cancel: true }), becomes({ cancel: true }, { cancel: true })],
    refuses: [becomes({ cancel: true }, { cancel: false }), becomes({ cancel: true }, {})],
  },
  {
    plural,
    message: 'spec.approval is written once: create another object to be asked again',
    accepts: [becomes({}, { approval: 'Denied' }), becomes({ approval: 'Approved' }, { approval: 'Approved' })],
    refuses: [becomes({ approval: 'Denied' }, { approval: 'Approved' }), becomes({ approval: 'Approved' }, {})],
  },
];
