import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { ActionDefinition } from '../../operator/actions/action.ts';
import { actions, findAction } from '../../operator/actions/index.ts';
import { parseLabelSelector } from '../../operator/actions/label-selector.ts';
import { matches } from '../../operator/kube/selector.ts';

const all: readonly ActionDefinition[] = actions;

describe('the list of actions', () => {
  it('rule 6 is what the folder holds: a file or folder with a definition each', async () => {
    const folder = new URL('../../operator/actions/', import.meta.url);
    const entries = await readdir(folder, { withFileTypes: true });
    const kebab = (name: string) => name.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
    const files = entries.map((entry) => entry.name.replace(/\.ts$/, ''));
    expect(all.filter((action) => !files.includes(kebab(action.name)))).toEqual([]);
    const definitions = await Promise.all(
      entries
        .filter((entry) => entry.name.endsWith('.ts'))
        .map(async (entry) => Object.values(await import(new URL(entry.name, folder).href))),
    );
    const isDefinition = (value: unknown): value is ActionDefinition => typeof value === 'object' && value !== null && 'execute' in value;
    const found = definitions.flat().filter(isDefinition);
    expect(found.filter((definition) => !all.includes(definition))).toEqual([]);
    expect(found).toHaveLength(
      all.length - entries.filter((entry) => entry.isDirectory() && all.some(({ name }) => kebab(name) === entry.name)).length,
    );
  });

  it.each(all.map((action) => [action.name, action] as const))(
    '%s has a name, a member, valid example parameters and a target',
    (name, action) => {
      expect(action.member).toBe(name.charAt(0).toLowerCase() + name.slice(1));
      expect(findAction(name)).toBe(action);
      const parsed = action.params.safeParse(action.example);
      expect(parsed.error).toBeUndefined();
      expect(action.target(parsed.data ?? {}).name).not.toBe('');
    },
  );

  it('knows no other', () => {
    expect(findAction('Reboot')).toBeUndefined();
  });
});

const web = { kind: 'Deployment', namespace: 'shop', name: 'web' };
const bad: readonly [action: string, params: object, field: string][] = [
  ['SessionWake', {}, 'sessionRef'],
  ['SessionStop', { sessionRef: { name: 'Ada' } }, 'sessionRef'],
  ['SessionStop', { sessionRef: { name: 'ada' }, deletePVC: 'yes' }, 'deletePVC'],
  ['SessionHibernate', { sessionRef: { name: 'ada' }, timeoutSeconds: 0 }, 'timeoutSeconds'],
  ['SessionStart', { sessionRef: { name: 'ada' }, session: { user: 'ada' } }, 'session'],
  ['SessionStart', { sessionRef: { name: 'ada' }, session: { templateRef: { name: 'vscode' } } }, 'session'],
  ['SessionStart', { sessionRef: { name: 'ada' }, session: { user: 'ada', template: { image: '' } } }, 'session'],
  ['SessionStart', { sessionRef: { name: 'ada' }, session: { user: 'ada', templateRef: { name: 'a' }, idleTimeout: 'soon' } }, 'session'],
  ['Drain', {}, 'nodeName'],
  ['Drain', { nodeName: '' }, 'nodeName'],
  ['Drain', { nodeName: 'Worker 3' }, 'nodeName'],
  ['Drain', { nodeName: '../../pods' }, 'nodeName'],
  ['Drain', { nodeName: 'a'.repeat(254) }, 'nodeName'],
  ['Drain', { nodeName: 'n', gracePeriodSeconds: -1 }, 'gracePeriodSeconds'],
  ['Drain', { nodeName: 'n', gracePeriodSeconds: 0 }, 'gracePeriodSeconds'],
  ['Evict', { namespace: 'shop', podName: 'a', gracePeriodSeconds: 0 }, 'gracePeriodSeconds'],
  ['DeletePod', { namespace: 'shop', podName: 'a', gracePeriodSeconds: 0 }, 'gracePeriodSeconds'],
  ['Drain', { nodeName: 'n', rules: [{ podSelector: 'app in shop' }] }, 'rules'],
  ['Drain', { nodeName: 'n', rules: Array(17).fill({}) }, 'rules'],
  ['Drain', { nodeName: 'n', escalation: {} }, 'escalation'],
  ['Drain', { nodeName: 'n', escalation: { deleteAfterSeconds: 600 } }, 'escalation'],
  ['Drain', { nodeName: 'n', escalation: { deleteUnreadyAfterSeconds: 60 }, timeoutSeconds: 60 }, 'escalation'],
  ['Drain', { nodeName: 'n', gracePeriodSeconds: 1.5 }, 'gracePeriodSeconds'],
  ['Drain', { nodeName: 'n', timeoutSeconds: 0 }, 'timeoutSeconds'],
  ['Drain', { nodeName: 'n', timeoutSeconds: '600' }, 'timeoutSeconds'],
  ['Drain', { nodeName: 'n', force: 'true' }, 'force'],
  ['Drain', { nodeName: 'n', podSelector: 'app in shop' }, 'podSelector'],
  ['Drain', { nodeName: 'n', skipNamespaces: ['Kube System'] }, 'skipNamespaces'],
  ['Drain', { nodeName: 'n', skipNamespaces: Array(65).fill('a') }, 'skipNamespaces'],
  ['Cordon', { nodeName: 'n', reason: 'x'.repeat(257) }, 'reason'],
  ['Evict', { namespace: 'shop' }, 'podName'],
  ['Evict', { namespace: 'a.b', podName: 'a' }, 'namespace'],
  ['DeletePod', { namespace: 'shop', podName: 'a', uid: '' }, 'uid'],
  ['Label', { kind: 'Secret', namespace: 'shop', name: 'a', set: { a: '1' } }, 'kind'],
  ['Label', { kind: 'Pod', name: 'a', set: { a: '1' } }, 'namespace'],
  ['Label', { kind: 'Node', namespace: 'shop', name: 'a', set: { a: '1' } }, 'namespace'],
  ['Label', { kind: 'Namespace', namespace: 'shop', name: 'a', set: { a: '1' } }, 'namespace'],
  ['Label', { kind: 'Node', name: 'a' }, 'set'],
  ['Label', { kind: 'Node', name: 'a', set: {}, remove: [] }, 'set'],
  ['Label', { kind: 'Node', name: 'a', set: { a: '1' }, remove: ['a'] }, 'remove'],
  ['Label', { kind: 'Node', name: 'a', set: { 'not a key': '1' } }, 'set'],
  ['Label', { kind: 'Node', name: 'a', set: { a: 'not a value' } }, 'set'],
  ['Label', { kind: 'Node', name: 'a', set: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`k${i}`, ''])) }, 'set'],
  ['Label', { kind: 'Node', name: 'a', remove: ['-a'] }, 'remove'],
  ['UpdateWorkload', { ...web, kind: 'DaemonSet', replicas: 1 }, 'kind'],
  ['UpdateWorkload', { ...web, replicas: -1 }, 'replicas'],
  ['UpdateWorkload', web, 'containers'],
  ['UpdateWorkload', { ...web, expectedReplicas: 1, containers: [{ name: 'a', image: 'b' }] }, 'expectedReplicas'],
  ['UpdateWorkload', { ...web, containers: [{ name: 'a', image: '' }] }, 'containers'],
  ['UpdateWorkload', { ...web, containers: [{ name: 'a', image: 'a b' }] }, 'containers'],
  ['UpdateWorkload', { ...web, containers: [{ name: 'a' }] }, 'containers'],
  ['UpdateWorkload', { ...web, containers: Array(2).fill({ name: 'a', image: 'b' }) }, 'containers'],
  ['UpdateWorkload', { ...web, containers: [{ name: 'a', requests: { cpu: '-1' } }] }, 'containers'],
  ['UpdateWorkload', { ...web, containers: [{ name: 'a', requests: { cpu: '1 CPU' } }] }, 'containers'],
  ['UpdateWorkload', { ...web, containers: [{ name: 'a', limits: { 'a b': '1' } }] }, 'containers'],
  ['UpdateWorkload', { ...web, containers: [{ name: 'a', requests: { cpu: '2' }, limits: { cpu: '1500m' } }] }, 'containers'],
  ['UpdateWorkload', { ...web, replicas: 1, ignore: ['Everything'] }, 'ignore'],
];

describe('parameters', () => {
  it.each(bad)('%s refuses %j and names the field', (name, params, field) => {
    const issues = findAction(name)?.params.safeParse(params).error?.issues ?? [];
    expect(issues.map((issue) => issue.path[0])).toContain(field);
  });

  it('K36 have the defaults of the table', () => {
    expect(findAction('Drain')?.params.parse({ nodeName: 'worker-3.example.com' })).toEqual({
      nodeName: 'worker-3.example.com',
      timeoutSeconds: 600,
      force: false,
      deleteEmptyDirData: false,
      ignoreDaemonSets: true,
      ignoreDoNotDisrupt: false,
      skipNamespaces: [],
      rules: [],
      volumeDetachTimeoutSeconds: 300,
      excludeFromLoadBalancers: false,
      uncordonOnFailure: false,
    });
    expect(findAction('Evict')?.params.parse({ namespace: 'a', podName: 'b' })).toMatchObject({ timeoutSeconds: 300 });
  });
});

const accepts = (podSelector: string) => findAction('Drain')?.params.safeParse({ nodeName: 'n', podSelector }).success;

describe('label selectors', () => {
  const labels = { app: 'shop', tier: 'db', 'example.com/team': '' };
  it.each([
    ['', true],
    ['app', true],
    [' ! canary ', true],
    ['!app', false],
    ['app=shop', true],
    ['app == shop,tier=db', true],
    ['app=shop,tier=cache', false],
    ['app!=shop', false],
    ['canary!=true', true],
    ['tier in (db, cache)', true],
    ['tier notin (db,cache)', false],
    ['canary notin (true)', true],
    ['example.com/team=', true],
    ['example.com/team in (,a)', true],
    ['example.com/team in ()', true],
  ])('K5 "%s" is read as kubectl reads it', (text, chosen) => {
    expect(accepts(text)).toBe(true);
    expect(matches(parseLabelSelector(text), labels)).toBe(chosen);
  });

  it.each(['app in shop', 'a,,b', '=a', 'a=b=c', 'a b', 'a in (b', '!a=b', 'a in (b) c', '-a', ',a', 'a=-b'])(
    'K5 "%s" is refused',
    (text) => {
      expect(accepts(text)).toBe(false);
    },
  );

  it.each([`a in (${' , '.repeat(300)}!`, `${'a= ,'.repeat(200)}=`, `${'a'.repeat(1022)}=!`, ' '.repeat(1024)])(
    'is refused or read in no time',
    (text) => {
      const before = performance.now();
      accepts(text);
      expect(performance.now() - before).toBeLessThan(50);
    },
  );
});
