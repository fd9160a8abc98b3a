import { expect, test } from 'vitest';
import type { ActionDefinition } from '../../operator/actions/action.ts';
import { actions } from '../../operator/actions/index.ts';
import { rulesIn } from '../../operator/codegen/rights.ts';
import type { LoopRights } from '../../operator/kube/rights.ts';

const [first]: readonly [ActionDefinition, ...ActionDefinition[]] = actions;
const zap = { ...first, name: 'Zap', rbac: [{ apiGroups: [''], resources: ['pods', 'nodes'], verbs: ['patch', 'get'] }] };
const aim = { ...first, name: 'Aim', rbac: [{ apiGroups: ['', 'apps'], resources: ['nodes'], verbs: ['get'] }] };
const loops: readonly LoopRights[] = [
  { loop: 'caches', scope: 'cluster', rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['watch', 'list'] }] },
  { loop: 'settings', scope: 'namespace', rules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['approve', 'watch'] }] },
];

test('the cluster role names every resource once, with all its verbs and who asked for it', () => {
  expect(rulesIn('cluster', [zap, aim], loops)).toEqual([
    { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch', 'patch'], askedBy: ['actions: Aim, Zap', 'caches'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['get', 'patch'], askedBy: ['actions: Zap'] },
    { apiGroups: ['apps'], resources: ['nodes'], verbs: ['get'], askedBy: ['actions: Aim'] },
  ]);
});

test('the order of the declarations does not matter', () => {
  expect(rulesIn('cluster', [aim, zap], loops.toReversed())).toEqual(rulesIn('cluster', [zap, aim], loops));
});

test('the role holds the rights in the own namespace, other verbs after the usual ones', () => {
  expect(rulesIn('namespace', [zap], loops)).toEqual([
    { apiGroups: [''], resources: ['secrets'], verbs: ['watch', 'approve'], askedBy: ['settings'] },
  ]);
});

test('an action with rights among the sessions has none in the cluster', () => {
  const own = { ...zap, rbacScope: 'sessions' } as const;
  expect(rulesIn('cluster', [own, aim], []).map(({ askedBy }) => askedBy)).toEqual([['actions: Aim'], ['actions: Aim']]);
  expect(rulesIn('sessions', [own, aim], []).map(({ resources, askedBy }) => [resources, askedBy])).toEqual([
    [['nodes'], ['actions: Zap']],
    [['pods'], ['actions: Zap']],
  ]);
});
