import { expect, test } from 'vitest';
import type { ApiRequest, Fault } from '../cluster/api-proxy.ts';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { statusBody, useFaultyServer } from './rig.ts';

const WATCHED = ['nodes', 'pods', 'poddisruptionbudgets', 'optimizationactions'];

/** Resources whose watch ends with this ERROR in place of its next event, once each. */
const ending = new Map<string, unknown>();
/** Resources whose watch is refused as too old when it wants to go on, once each. */
const gone = new Set<string>();

const tooOld = statusBody(410, 'Expired', 'too old resource version: 1 (2)');

function always({ path, watch }: ApiRequest): Fault | undefined {
  if (!watch) return undefined;
  const plural = /\/([a-z]+)\?/.exec(path)?.[1] ?? '';
  if (/[?&]resourceVersion=/.test(path) && gone.delete(plural)) return { kind: 'answer', status: 410, body: tooOld };
  return {
    kind: 'edit',
    body: (line) => {
      const error = ending.get(plural);
      ending.delete(plural);
      return error === undefined ? line : JSON.stringify({ type: 'ERROR', object: error });
    },
  };
}

const rig = useFaultyServer('watches', { always });

async function counts(metric: string): Promise<Record<string, number>> {
  return Object.fromEntries(
    await Promise.all(WATCHED.map(async (resource) => [resource, await rig.metric(`cloudoptim_watch_${metric}`, { resource })] as const)),
  );
}

/** So that each watch has something to hear. */
function touch(node: string): Promise<unknown> {
  return controlPlane.api.patch(`/api/v1/nodes/${node}`, { metadata: { annotations: { touched: String(performance.now()) } } });
}

function plus(before: Record<string, number>, more: number) {
  return Object.fromEntries(Object.entries(before).map(([resource, count]) => [resource, count + more]));
}

test('410 in the stream of every watch in the middle of a drain: the lists are taken anew and nothing is lost', async () => {
  const drain = await rig.heldDrain('expired');
  const relists = await counts('relists_total');
  for (const resource of WATCHED) ending.set(resource, tooOld);
  await drain.letGo();
  await touch(drain.name);
  await drain.finished();
  await waitFor(() => ending.size === 0);
  await waitFor(async () => Object.values(await counts('connected')).every((each) => each === 1));
  expect(await counts('relists_total')).toEqual(plus(relists, 1));
  expect(rig.operator.log.filter(({ message }) => message === 'too old resource version: 1 (2)')).toHaveLength(WATCHED.length);
});

test('410 as the answer to a watch that wants to go on: the same', async () => {
  const drain = await rig.heldDrain('gone');
  const [relists, reconnects] = [await counts('relists_total'), await counts('reconnects_total')];
  for (const resource of WATCHED) {
    ending.set(resource, statusBody(500, 'InternalError', 'the stream was broken'));
    gone.add(resource);
  }
  await drain.letGo();
  await touch(drain.name);
  await drain.finished();
  await waitFor(() => ending.size === 0 && gone.size === 0);
  await waitFor(async () => Object.values(await counts('connected')).every((each) => each === 1));
  expect(await counts('relists_total')).toEqual(plus(relists, 1));
  expect(await counts('reconnects_total')).toEqual(plus(reconnects, 1));
  await rig.operator.ready();
});

test('each watch says how long ago it heard something, and what', async () => {
  for (const resource of [...WATCHED, 'optimizationbackends', 'events']) {
    const age = await rig.metric('cloudoptim_watch_last_event_age_seconds', { resource });
    expect(age, resource).toBeGreaterThan(0);
    expect(age, resource).toBeLessThan(120);
    // The end of the initial events is a bookmark.
    expect(await rig.metric('cloudoptim_watch_events_total', { resource, type: 'bookmark' }), resource).toBeGreaterThan(0);
  }
  expect(await rig.metric('cloudoptim_watch_events_total', { resource: 'pods', type: 'error' })).toBe(2);
});
