import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { startFaultProxy } from '../cluster/fault-proxy.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { createNamespace } from '../cluster/workloads.ts';
import { clientOf } from './clients.ts';
import { type Mirror, mirror, shows, writer } from './mirror.ts';

/** More than two pages of 500. */
const MANY = 1100;

describe.each([
  ['with the streaming list', []],
  ['without the streaming list', ['--feature-gates=WatchList=false']],
])('an API server %s', (_, apiServerFlags) => {
  let cp: ControlPlane;
  const streaming = apiServerFlags.length === 0;

  beforeAll(async () => {
    cp = await startControlPlane({ audit: true, apiServerFlags });
  });

  afterAll(() => cp.close());

  /** A namespace of its own with a writer. */
  async function place(namespace: string) {
    await createNamespace(cp, namespace);
    return { namespace, write: writer(cp, namespace) };
  }

  /** The list requests of the operator in the namespace. */
  async function lists(namespace: string): Promise<string[]> {
    const events = await cp.auditEvents();
    return events
      .filter(({ verb, userAgent }) => verb === 'list' && userAgent === 'cloudoptim-operator')
      .filter(({ objectRef }) => objectRef?.namespace === namespace)
      .map(({ requestURI }) => requestURI);
  }

  test('a large collection is taken whole', async () => {
    const { namespace, write } = await place('many');
    const names = Array.from({ length: MANY }, (__, n) => `c-${n}`);
    await Promise.all(names.map((name) => write.create(name)));
    const mirrored = mirror(clientOf(cp), namespace);
    await mirrored.reflector.synced;
    expect(mirrored.store.size).toBe(MANY + 1);
    expect(mirrored.reasons('relist')).toEqual(streaming ? [] : [expect.stringMatching(/^streaming list not offered: /)]);
    await write.remove('c-0');
    await write.update('c-1', '2');
    await waitFor(() => mirrored.content()['c-1'] === '2' && !('c-0' in mirrored.content()));
    const pages = await waitFor(async () => {
      const found = await lists(namespace);
      return found.length === (streaming ? 0 : 3) && found;
    });
    for (const page of pages) expect(page).toContain('limit=500');
    expect(pages.filter((page) => page.includes('continue=')).length).toBe(streaming ? 0 : 2);
  });

  test('a watch that is too old after a restart takes the list anew: nothing is lost, nothing invented', async () => {
    const { namespace, write } = await place('expired');
    for (const name of ['same', 'changed', 'gone', 'again']) await write.create(name);
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: cp.port });
    onTestFinished(() => proxy.close());
    const mirrored = mirror(clientOf(cp, proxy.url), namespace);
    await mirrored.reflector.synced;
    const relists = mirrored.reasons('relist').length;
    const told = mirrored.changes.length;
    await proxy.refuse();
    proxy.cut();
    await waitFor(() => !mirrored.reflector.connected);
    await write.update('changed', '2');
    await write.remove('gone');
    await write.remove('again');
    await write.create('again', 'new');
    await write.create('fresh');
    // Its memory of past events begins with the start.
    await cp.stopApiServer();
    await cp.startApiServer();
    await proxy.accept();
    await shows(mirrored, await write.truth());
    expect(mirrored.reasons('relist').slice(relists)).toEqual([expect.stringMatching(/too old resource version/)]);
    const order = (changes: readonly string[]) => [...changes].sort();
    expect(order(mirrored.changes.slice(told))).toEqual(order(['~changed=2', '-gone', '-again', '+again=new', '+fresh=1']));
    expect(mirrored.changes.indexOf('-again')).toBeLessThan(mirrored.changes.indexOf('+again=new'));
  });

  test('a crash of the API server while others write ends with the same content everywhere', async () => {
    const { namespace, write } = await place('crash');
    const mirrors = Array.from({ length: 4 }, () => mirror(clientOf(cp), namespace));
    await Promise.all(mirrors.map((each) => each.reflector.synced));
    const stop = new AbortController();
    const written = writeAlways(write, stop.signal);
    await waitFor(() => mirrors.every((each) => each.changes.length > 20));
    await cp.stopApiServer();
    await waitFor(() => mirrors.every((each) => !each.reflector.connected));
    await cp.startApiServer();
    const before = mirrors.map((each) => each.changes.length);
    await waitFor(() => mirrors.every((each, index) => each.changes.length > (before[index] ?? 0) + 20));
    stop.abort();
    await written;
    const truth = await write.truth();
    for (const each of mirrors) {
      await shows(each, truth);
      expectConsistent(each);
    }
  });
});

/** Creates, changes and deletes without end; a crash of the API server is passed over. */
async function writeAlways(write: ReturnType<typeof writer>, signal: AbortSignal): Promise<void> {
  for (let n = 0; !signal.aborted; n++) {
    const attempt = async () => {
      await write.create(`w-${n}`);
      await write.update(`w-${n}`, 'changed');
      if (n % 3 > 0) await write.remove(`w-${n}`);
    };
    await attempt().catch(() => new Promise((resolve) => setImmediate(resolve)));
  }
}

/** Nothing was told as new that was there, nor as changed or gone that was not. */
function expectConsistent({ changes }: Mirror): void {
  const there = new Set<string>();
  for (const change of changes) {
    const name = change.slice(1).split('=')[0] ?? '';
    expect(there.has(name), change).toBe(!change.startsWith('+'));
    if (change.startsWith('-')) there.delete(name);
    else there.add(name);
  }
}
