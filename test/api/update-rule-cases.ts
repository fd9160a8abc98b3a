import type { JsonObject, JsonValue } from '../../operator/lib/json.ts';
import type { Ask, RuleCase } from './rule-case.ts';

const plural = 'optimizationactions';
const MANY = 17;

function update(...params: readonly JsonObject[]): readonly Ask[] {
  const web = { kind: 'Deployment', namespace: 'shop', name: 'web' };
  return params.map((each) => ({ create: { action: 'UpdateWorkload', updateWorkload: { ...web, ...each } } }));
}

function main(...changes: readonly JsonObject[]): readonly Ask[] {
  return update(...changes.map((each) => ({ containers: [{ name: 'main', ...each }] })));
}

function amounts(count: number): JsonObject {
  return Object.fromEntries(Array.from({ length: count }, (_, index): [string, JsonValue] => [`example.com/r${index}`, '1']));
}

/** An accepting and a refusing case for every CEL rule of UpdateWorkload. */
export const updateRuleCases: readonly RuleCase[] = [
  {
    plural,
    message: 'replicas or containers must say what to change',
    accepts: update({ replicas: 0 }, { containers: [{ name: 'main', image: 'a:1' }] }),
    refuses: update({}, { containers: [] }, { ignore: ['GitOps'] }),
  },
  {
    plural,
    message: 'expectedReplicas is compared only where replicas says how many there are to be',
    accepts: update({ replicas: 3, expectedReplicas: 0 }),
    refuses: update({ expectedReplicas: 3, containers: [{ name: 'main', image: 'a:1' }] }),
  },
  {
    plural,
    message: 'a container can be named only once',
    accepts: update({
      containers: [
        { name: 'a', image: 'a:1' },
        { name: 'b', image: 'a:1' },
      ],
    }),
    refuses: update({
      containers: [
        { name: 'a', image: 'a:1' },
        { name: 'a', limits: { cpu: '1' } },
      ],
    }),
  },
  {
    plural,
    message: 'image, requests or limits must say what to change in the container',
    accepts: main({ image: 'a:1' }, { requests: { cpu: '1' } }, { limits: { cpu: '1' } }),
    refuses: main({}, { requests: {}, limits: {} }),
  },
  {
    plural,
    message: 'a request must not be larger than the limit of the same resource',
    accepts: main(
      { requests: { cpu: '1' }, limits: { cpu: '1000m' } },
      { requests: { memory: '1Gi', cpu: '2' }, limits: { memory: '1.5Gi' } },
      { requests: { memory: '.5Ki' }, limits: { memory: '1e3' } },
    ),
    refuses: main({ requests: { cpu: '1' }, limits: { cpu: '999m' } }, { requests: { memory: '1G' }, limits: { memory: '0.9Gi' } }),
  },
  ...['requests', 'limits'].flatMap((field): readonly RuleCase[] => [
    {
      plural,
      message: `every key of ${field} must be the name of a resource such as cpu or example.com/gpu`,
      accepts: main({ [field]: { cpu: '1', 'example.com/gpu': '1', 'hugepages-2Mi': '4Mi' } }),
      refuses: main({ [field]: { 'not a resource': '1' } }, { [field]: { '/x': '1' } }),
    },
    {
      plural,
      message: `at most 16 ${field}`,
      accepts: main({ [field]: amounts(MANY - 1) }),
      // The bound of the schema speaks before the rule does.
      refuses: main({ [field]: amounts(MANY) }).map((ask) => ({ ...ask, says: 'Too many: 17: must have at most 16 items' })),
    },
  ]),
];
