import { expect, test } from 'vitest';
import { projectBudget } from '../../operator/kube/budget.ts';
import { matches } from '../../operator/kube/selector.ts';

const web = { app: 'web', tier: 'front' };
const expression = (key: string, operator: string, values?: readonly string[]) => ({
  matchExpressions: [{ key, operator, ...(values && { values }) }],
});

/** Read as the API server writes them, because that is how selectors reach `matches`. */
const rows: readonly (readonly [what: string, selector: unknown, labels: Readonly<Record<string, string>>, chosen: boolean])[] = [
  ['an absent selector chooses nothing', undefined, web, false],
  ['a null selector chooses nothing', null, web, false],
  ['an empty selector chooses everything', {}, web, true],
  ['an empty selector chooses a pod without labels', {}, {}, true],
  ['equal labels', { matchLabels: { app: 'web', tier: 'front' } }, web, true],
  ['one label differs', { matchLabels: { app: 'web', tier: 'back' } }, web, false],
  ['one label is missing', { matchLabels: { zone: '' } }, web, false],
  ['what objects inherit is no label', expression('constructor', 'Exists'), web, false],
  ['In, listed', expression('app', 'In', ['db', 'web']), web, true],
  ['In, not listed', expression('app', 'In', ['db']), web, false],
  ['In, missing', expression('zone', 'In', ['a']), web, false],
  ['NotIn, listed', expression('app', 'NotIn', ['web']), web, false],
  ['NotIn, not listed', expression('app', 'NotIn', ['db']), web, true],
  ['NotIn, missing', expression('zone', 'NotIn', ['a']), web, true],
  ['Exists', expression('app', 'Exists'), web, true],
  ['Exists, missing', expression('zone', 'Exists'), web, false],
  ['DoesNotExist', expression('app', 'DoesNotExist'), web, false],
  ['DoesNotExist, missing', expression('zone', 'DoesNotExist'), web, true],
  ['all must hold', { matchLabels: { app: 'web' }, ...expression('tier', 'In', ['back']) }, web, false],
  ['an unknown operator chooses everything', { matchLabels: { app: 'db' }, ...expression('app', 'Like', ['w*']) }, web, true],
  ['In without values chooses everything', expression('app', 'In'), web, true],
];

test.each(rows)('%s', (_what, selector, labels, chosen) => {
  expect(matches(projectBudget({ spec: { selector } }).selector, labels)).toBe(chosen);
});
