import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { type FaultProxy, startFaultProxy } from '../cluster/fault-proxy.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import type { Tenant } from '../cluster/tenant.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { startBlackHole } from './black-hole.ts';
import { clientOf } from './clients.ts';
import { type Kept, mirror, project, shows, writer } from './mirror.ts';

let own: Tenant;
let write: ReturnType<typeof writer>;
let round = 0;

beforeAll(async () => {
  own = await tenant('reflector');
  write = writer(controlPlane, own.namespace);
});

/** A name that no other test uses. */
function name(prefix: string): string {
  round++;
  return `${prefix}-${round}`;
}

/** A proxy in front of the API server, closed after the test. */
async function proxied(): Promise<FaultProxy> {
  const proxy = await startFaultProxy({ host: '127.0.0.1', port: controlPlane.port });
  onTestFinished(() => proxy.close());
  return proxy;
}

/** The requests of the operator for ConfigMaps of this tenant since the mark, oldest first. */
async function requests(since: number): Promise<URLSearchParams[]> {
  const events = (await controlPlane.auditEvents()).slice(since);
  const path = `/api/v1/namespaces/${own.namespace}/configmaps`;
  return events
    .filter((event) => event.userAgent === 'cloudoptim-operator' && event.stage !== 'ResponseComplete')
    .map((event) => new URL(event.requestURI, controlPlane.url))
    .filter((url) => url.pathname === path)
    .map((url) => url.searchParams);
}

test('the first list is streamed, and changes arrive one by one', async () => {
  const [a, b] = [name('a'), name('b')];
  await write.create(a);
  const mark = (await controlPlane.auditEvents()).length;
  const mirrored = mirror(clientOf(controlPlane), own.namespace);
  await mirrored.reflector.synced;
  expect(mirrored.reflector.connected).toBe(true);
  expect(mirrored.content()).toEqual(await write.truth());
  const told = mirrored.changes.length;
  await write.create(b);
  await write.update(b, '2');
  await write.remove(a);
  await shows(mirrored, await write.truth());
  expect(mirrored.changes.slice(told)).toEqual([`+${b}=1`, `~${b}=2`, `-${a}`]);
  expect(mirrored.reasons('relist')).toEqual([]);
  const [query, ...others] = await waitFor(async () => {
    const found = await requests(mark);
    return found.length > 0 && found;
  });
  expect(others).toEqual([]);
  expect(Object.fromEntries(query ?? [])).toMatchObject({
    watch: 'true',
    sendInitialEvents: 'true',
    resourceVersionMatch: 'NotOlderThan',
    allowWatchBookmarks: 'true',
    timeoutSeconds: expect.stringMatching(/^[345]\d\d$/),
  });
});

test('a field selector keeps the others out', async () => {
  const [one, other] = [name('one'), name('other')];
  await write.create(other);
  const mirrored = mirror(clientOf(controlPlane), own.namespace, { fieldSelector: `metadata.name=${one}` });
  await mirrored.reflector.synced;
  await write.create(one);
  await shows(mirrored, { [one]: '1' });
  await write.remove(one);
  await shows(mirrored, {});
});

test('after a cut it goes on where it was: what happened meanwhile arrives once, deletions and namesakes too', async () => {
  const proxy = await proxied();
  const [changed, gone, again, fresh] = [name('changed'), name('gone'), name('again'), name('fresh')];
  for (const each of [changed, gone, again]) await write.create(each);
  const mirrored = mirror(clientOf(controlPlane, proxy.url), own.namespace);
  await mirrored.reflector.synced;
  const told = mirrored.changes.length;
  await proxy.refuse();
  proxy.cut();
  await waitFor(() => !mirrored.reflector.connected);
  await write.update(changed, '2');
  await write.remove(gone);
  await write.remove(again);
  await write.create(again, 'new');
  await write.create(fresh);
  await waitFor(() => mirrored.reasons('disconnected').length > 1);
  expect(mirrored.reflector.problem).toMatch(/ECONNREFUSED/);
  await proxy.accept();
  await shows(mirrored, await write.truth());
  expect(mirrored.reflector.connected).toBe(true);
  expect(mirrored.changes.slice(told)).toEqual([`~${changed}=2`, `-${gone}`, `-${again}`, `+${again}=new`, `+${fresh}=1`]);
  expect(mirrored.reasons('relist')).toEqual([]);
});

test('again and again cut, it neither loses nor invents a change', async () => {
  const proxy = await proxied();
  const mirrored = mirror(clientOf(controlPlane, proxy.url), own.namespace);
  await mirrored.reflector.synced;
  for (let n = 0; n < 8; n++) {
    const each = name('cut');
    await write.create(each);
    proxy.cut();
    await write.update(each, `v${n}`);
    if (n % 2 === 0) await write.remove(each);
  }
  await shows(mirrored, await write.truth());
  const count = (prefix: string) => mirrored.changes.filter((change) => change.startsWith(`${prefix}cut`)).length;
  expect([count('+'), count('~'), count('-')]).toEqual([8, 8, 4]);
});

test('a silent watch is noticed, and a connection that died unnoticed is not used again', async () => {
  const hole = await startBlackHole(controlPlane.port);
  onTestFinished(() => hole.close());
  const client = clientOf(controlPlane, hole.url);
  const mirrors = [1, 1.5, 2].map((silenceSeconds) => mirror(client, own.namespace, { silenceSeconds }));
  await Promise.all(mirrors.map((each) => each.reflector.synced));
  hole.swallow();
  await write.create(name('unheard'));
  for (const each of mirrors) {
    await shows(each, await write.truth());
    expect(each.reasons('disconnected')[0]).toMatch(/^the watch was silent for [\d.]+ s$|^the API server was silent/);
    expect(each.reasons('relist')).toEqual([]);
  }
});

test('an API server that is frozen is noticed, and found again when it goes on', async () => {
  const proxy = await proxied();
  const mirrored = mirror(clientOf(controlPlane, proxy.url), own.namespace, { silenceSeconds: 2 });
  await mirrored.reflector.synced;
  proxy.freeze();
  await waitFor(() => mirrored.reasons('disconnected').includes('the watch was silent for 2 s'));
  expect(mirrored.reflector.connected).toBe(false);
  await write.create(name('meanwhile'));
  proxy.thaw();
  await shows(mirrored, await write.truth());
});

test('a server that is not there yet is waited for', async () => {
  const proxy = await proxied();
  await proxy.refuse();
  const mirrored = mirror(clientOf(controlPlane, proxy.url), own.namespace);
  await waitFor(() => mirrored.reasons('disconnected').length >= 2);
  expect(mirrored.reasons('disconnected')[0]).toMatch(/^GET \/api\/v1\/namespaces\/.*\/configmaps: .*ECONNREFUSED/);
  expect(mirrored.reflector.connected).toBe(false);
  await proxy.accept();
  await mirrored.reflector.synced;
  expect(mirrored.content()).toEqual(await write.truth());
});

test('an object that cannot be read is told and skipped, the others are kept, and its deletion counts', async () => {
  const [bad, good, spoilt] = [name('bad'), name('good'), name('spoilt')];
  await write.create(bad, 'unreadable');
  await write.create(good);
  await write.create(spoilt);
  const fussy = (raw: Parameters<typeof project>[0]): Kept => {
    const kept = project(raw);
    if (kept.value === 'unreadable') throw new Error(`cannot read ${kept.key}`);
    return kept;
  };
  const mirrored = mirror(clientOf(controlPlane), own.namespace, { project: fussy });
  await mirrored.reflector.synced;
  expect(mirrored.reasons('skipped')).toEqual([`cannot read ${bad}`]);
  expect(mirrored.content()).not.toHaveProperty([bad]);
  await write.update(spoilt, 'unreadable');
  await waitFor(() => mirrored.reasons('skipped').includes(`cannot read ${spoilt}`));
  expect(mirrored.content()).toMatchObject({ [good]: '1', [spoilt]: '1' });
  await write.remove(spoilt);
  await write.remove(bad);
  await waitFor(() => !(spoilt in mirrored.content()));
  expect(mirrored.reflector.connected).toBe(true);
});

test('what the projection leaves out is not kept', async () => {
  const [kept, left] = [name('kept'), name('left')];
  await write.create(kept);
  await write.create(left);
  const mirrored = mirror(clientOf(controlPlane), own.namespace, {
    project: (raw) => (project(raw).key === kept ? project(raw) : undefined),
  });
  await mirrored.reflector.synced;
  await write.update(left, '2');
  await write.update(kept, '2');
  await shows(mirrored, { [kept]: '2' });
});

test.each<[string, (proxy: FaultProxy) => Promise<unknown>]>([
  ['while it follows the watch', async () => undefined],
  ['while it waits to try again', (proxy) => proxy.refuse().then(() => proxy.cut())],
  ['while it connects to a server that does not answer', async (proxy) => proxy.freeze()],
])('a stop %s ends it at once', async (_, trouble) => {
  const proxy = await proxied();
  const mirrored = mirror(clientOf(controlPlane, proxy.url), own.namespace, { silenceSeconds: 1 });
  await mirrored.reflector.synced;
  await trouble(proxy);
  await waitFor(() => mirrored.events.some((event) => event.kind === 'disconnected'));
  const before = performance.now();
  await mirrored.stop();
  expect(performance.now() - before).toBeLessThan(1000);
  expect(mirrored.reflector.connected).toBe(false);
});
