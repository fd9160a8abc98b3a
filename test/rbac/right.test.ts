import { expect, test } from 'vitest';
import { compareRights, nameOf, type Right, rightsIn } from './right.ts';

const get: Right = { scope: 'cluster', group: '', resource: 'nodes', verb: 'get' };
const patch: Right = { ...get, verb: 'patch' };
const secrets: Right = { scope: 'namespace', group: '', resource: 'secrets', verb: 'list' };
const evict: Right = { scope: 'cluster', group: '', resource: 'pods/eviction', verb: 'create' };
const here = (right: Right): Right => ({ ...right, scope: 'namespace' });

test.each<[what: string, used: readonly Right[], declared: readonly Right[], undeclared: readonly string[], unused: readonly string[]]>([
  ['nothing at all', [], [], [], []],
  ['the same, in any order and often', [patch, get, get], [get, patch], [], []],
  ['a surplus verb', [get], [get, patch], [], ['patch nodes (cluster)']],
  ['a missing verb', [get, patch], [get], ['patch nodes (cluster)'], []],
  ['both at once, sorted', [patch, evict], [get, secrets], [nameOf(evict), nameOf(patch)], [nameOf(get), nameOf(secrets)]],
  [
    'a subresource is another resource',
    [{ ...get, resource: 'pods', verb: 'create' }],
    [evict],
    ['create pods (cluster)'],
    [nameOf(evict)],
  ],
  ['another API group', [{ ...get, group: 'apps' }], [get], ['get nodes.apps (cluster)'], [nameOf(get)]],
  [
    'a right of the own namespace, used elsewhere',
    [{ ...secrets, scope: 'cluster' }],
    [secrets],
    ['list secrets (cluster)'],
    [nameOf(secrets)],
  ],
  ['a cluster right, used everywhere', [evict, here(evict)], [evict], [], []],
  ['a cluster right, used in the own namespace only', [here(evict)], [evict], [], [nameOf(evict)]],
  ['a wildcard is no right that anybody used', [get], [{ ...get, verb: '*' }], [nameOf(get)], ['* nodes (cluster)']],
])('%s', (_, used, declared, undeclared, unused) => {
  expect(compareRights(used, declared)).toEqual({ undeclared, unused });
});

test('a rule is spread into single rights', () => {
  const rules = [{ apiGroups: ['', 'apps'], resources: ['pods', 'pods/eviction'], verbs: ['get', 'create'] }];
  expect(rightsIn('namespace', rules).map(nameOf)).toEqual([
    'get pods (namespace)',
    'create pods (namespace)',
    'get pods/eviction (namespace)',
    'create pods/eviction (namespace)',
    'get pods.apps (namespace)',
    'create pods.apps (namespace)',
    'get pods/eviction.apps (namespace)',
    'create pods/eviction.apps (namespace)',
  ]);
});
