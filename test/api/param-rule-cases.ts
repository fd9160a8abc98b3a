import type { JsonObject, JsonValue } from '../../operator/lib/json.ts';
import type { Ask, RuleCase } from './rule-case.ts';
import { startRuleCases } from './session-values.ts';
import { updateRuleCases } from './update-rule-cases.ts';

const plural = 'optimizationactions';
const set = { 'example.com/pool': 'spot' };
const node = { kind: 'Node', name: 'worker-3' };
const pod = { kind: 'Pod', namespace: 'shop', name: 'cart-0' };

function label(...params: readonly JsonObject[]): readonly Ask[] {
  return params.map((each) => ({ create: { action: 'Label', label: each } }));
}

function select(...selectors: readonly string[]): readonly Ask[] {
  return selectors.map((podSelector) => ({ create: { action: 'Drain', drain: { nodeName: 'worker-3', podSelector } } }));
}

function escalate(...escalations: readonly JsonObject[]): readonly Ask[] {
  return escalations.map((escalation) => ({ create: { action: 'Drain', drain: { nodeName: 'worker-3', escalation } } }));
}

function many(count: number): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, index): [string, JsonValue] => [`key-${index}`, 'x']));
}

/** An accepting and a refusing case for every CEL rule that an action declares for its own parameters. */
export const paramRuleCases: readonly RuleCase[] = [
  ...updateRuleCases,
  ...startRuleCases,
  {
    plural,
    message: "must be a label selector such as 'app=shop,tier notin (db, cache),!canary'",
    accepts: select('', 'app', '!app', 'app=shop', 'app==shop,example.com/tier!=db', 'tier in (db, cache)', ' tier notin (db),!canary '),
    refuses: select('app=shop=x', 'app in db', '=x', 'app,,tier', 'app=ä', "app='x'"),
  },
  {
    plural,
    message: 'at least one step must be given',
    accepts: escalate({ deleteAfterSeconds: 1 }, { deleteUnreadyAfterSeconds: 1 }, { forceAfterSeconds: 1 }),
    refuses: escalate({}),
  },
  {
    plural,
    message: 'a deletion must come before timeoutSeconds are over',
    accepts: escalate({ deleteUnreadyAfterSeconds: 1, deleteAfterSeconds: 599 }, { forceAfterSeconds: 700 }),
    refuses: escalate({ deleteAfterSeconds: 600 }, { deleteUnreadyAfterSeconds: 600, deleteAfterSeconds: 1 }),
  },
  {
    plural,
    message: 'namespace is required for this kind, except for Node and Namespace, which have none',
    accepts: label({ ...node, set }, { ...pod, set }, { kind: 'Namespace', name: 'shop', set }),
    refuses: label({ ...node, namespace: 'shop', set }, { kind: 'Deployment', name: 'web', set }),
  },
  {
    plural,
    message: 'set or remove must name at least one label',
    accepts: label({ ...node, set }, { ...node, remove: ['old'] }),
    refuses: label(node, { ...node, set: {}, remove: [] }),
  },
  {
    plural,
    message: 'a label can be set or removed, not both',
    accepts: label({ ...node, set, remove: ['old'] }),
    refuses: label({ ...node, set, remove: Object.keys(set) }),
  },
  {
    plural,
    message: 'every key must be a label key such as example.com/team',
    accepts: label({ ...node, set: { 'example.com/Team_1.x': 'a', plain: '' } }),
    refuses: label({ ...node, set: { 'not a key': 'a' } }, { ...node, set: { '/x': 'a' } }, { ...node, set: { 'Example.com/x': 'a' } }),
  },
  {
    plural,
    message: 'at most 64 labels',
    accepts: label({ ...node, set: many(64) }),
    // The bound of the schema speaks before the rule does.
    refuses: [{ create: { action: 'Label', label: { ...node, set: many(65) } }, says: 'Too many: 65: must have at most 64 items' }],
  },
];
