import { describe, expect, test } from 'vitest';
import { coreEvent, killedPod, node, START, startFeed, time } from './feed-samples.ts';

describe('which Events are sent', () => {
  test.each([
    ['FailedScheduling', 'Pod', 'FailedScheduling'],
    ['Evicted', 'Pod', 'Evicted'],
    ['Preempted', 'Pod', 'Evicted'],
    ['NodeControllerEviction', 'Pod', 'Evicted'],
    ['TaintManagerEviction', 'Pod', 'Evicted'],
    ['DeviceTaintManagerEviction', 'Pod', 'Evicted'],
    ['NodeNotReady', 'Node', 'NodeNotReady'],
    ['NodeNotReady', 'Pod', undefined],
    ['FailedScheduling', 'Node', undefined],
    ['OOMKilling', 'Node', undefined],
    ['SystemOOM', 'Node', undefined],
    ['OOMKilled', 'Pod', undefined],
    ['Scheduled', 'Pod', undefined],
    ['Evicted', 'Job', undefined],
  ])('%s about a %s: %s', (reason, kind, expected) => {
    const { feed } = startFeed();
    feed.observeEvent(coreEvent('e', { reason, kind }));
    expect(feed.take(9).map((event) => event.kind)).toEqual(expected === undefined ? [] : [expected]);
  });

  test('a taint that spares the pod after all is no eviction', () => {
    const { feed } = startFeed();
    feed.observeEvent(coreEvent('e', { reason: 'TaintManagerEviction', message: 'Cancelling deletion of Pod shop/web-1' }));
    expect(feed.waiting).toBe(0);
  });

  test('an Event is sent as it is', () => {
    const { feed } = startFeed();
    feed.observeEvent(coreEvent('e7', { count: 3, at: -10, message: '0/5 nodes are available' }));
    expect(feed.take(1)).toEqual([
      {
        key: 'e7/3',
        kind: 'FailedScheduling',
        severity: 'Warning',
        reason: 'FailedScheduling',
        message: '0/5 nodes are available',
        involvedObject: { kind: 'Pod', namespace: 'shop', name: 'web-1' },
        name: 'web-1.e7',
        count: 3,
        at: new Date(START - 10_000),
      },
    ]);
  });
});

describe('each once', () => {
  test('an Event seen again is not sent again, a higher count is', () => {
    const { feed } = startFeed();
    for (const count of [1, 1, 2, 1, 2]) feed.observeEvent(coreEvent('e', { count }));
    expect(feed.take(9).map((event) => event.count)).toEqual([1, 2]);
  });

  test.each([
    [-301, false],
    [-300, false],
    [-299, true],
    [0, true],
    [60, true],
  ])('an Event of %d s after the start is sent: %s', (at, sent) => {
    const { feed } = startFeed();
    feed.observeEvent(coreEvent('e', { at }));
    feed.observePod(undefined, killedPod('p', at));
    expect(feed.waiting).toBe(sent ? 2 : 0);
  });

  test('an Event without a time happened now', () => {
    const { feed, clock } = startFeed();
    clock.seconds = 5;
    const { at: _at, ...timeless } = coreEvent('e');
    feed.observeEvent(timeless);
    expect(feed.take(1)[0]?.at).toEqual(clock.now());
  });

  test('keys forgotten for want of room are not sent again', () => {
    const { feed } = startFeed({ remember: 3 });
    const events = [1, 2, 3, 4, 5].map((at) => coreEvent(`e${at}`, { at: -at * 10 })).reverse();
    for (const event of [...events, ...events]) feed.observeEvent(event);
    expect(feed.take(99)).toHaveLength(5);
  });

  test('a clock that runs ahead does not silence what follows', () => {
    const { feed } = startFeed({ remember: 1 });
    feed.observeEvent(coreEvent('ahead', { at: 86_400 }));
    feed.observeEvent(coreEvent('on-time', { at: 1 }));
    feed.observeEvent(coreEvent('after', { at: 2 }));
    expect(feed.take(9).map((event) => event.key)).toEqual(['ahead/1', 'on-time/1', 'after/1']);
  });
});

describe('a container killed for its memory', () => {
  test('is one event, however often the pod changes', () => {
    const { feed } = startFeed();
    const [fresh, once, twice] = [killedPod('web-1'), killedPod('web-1', 1), killedPod('web-1', 1, 20)];
    feed.observePod(undefined, fresh);
    feed.observePod(fresh, once);
    feed.observePod(once, killedPod('web-1', 1));
    feed.observePod(undefined, killedPod('web-1', 1));
    feed.observePod(once, twice);
    feed.observePod(twice, undefined);
    const sent = feed.take(9);
    expect(sent.map((event) => event.at)).toEqual([new Date(START + 1000), new Date(START + 20_000)]);
    expect(sent[0]).toEqual({
      key: `uid-web-1/main/0/${time(1)}`,
      kind: 'OOMKilled',
      severity: 'Warning',
      reason: 'OOMKilled',
      message: 'Container main ran out of memory and was killed, after 0 restarts',
      involvedObject: { kind: 'Pod', namespace: 'shop', name: 'web-1' },
      name: `web-1.main.${(START + 1000).toString(16)}`,
      count: 1,
      at: new Date(START + 1000),
    });
  });
});

describe('a node that is no longer ready', () => {
  const byController = (count: number, at: number) =>
    coreEvent('nc', { reason: 'NodeNotReady', kind: 'Node', about: 'n1', source: 'node-controller', count, at });
  const byKubelet = (at: number) => coreEvent('kl', { reason: 'NodeNotReady', kind: 'Node', about: 'n1', source: 'kubelet', at });

  test('is one event by the watch and by Events, whoever comes first', () => {
    const tellers = ['watch', 'controller', 'kubelet'] as const;
    for (const first of tellers) {
      const { feed, clock } = startFeed();
      clock.seconds = 2;
      for (const teller of [first, ...tellers.filter((other) => other !== first)]) {
        if (teller === 'watch') feed.observeNode(node('n1', true), node('n1', false, '2'));
        else feed.observeEvent(teller === 'controller' ? byController(1, 1) : byKubelet(0));
      }
      expect(feed.take(9).map((event) => event.kind)).toEqual(['NodeNotReady']);
    }
  });

  test('flapping is one event for each time, told by both', () => {
    const { feed, clock } = startFeed();
    for (const [count, at] of [
      [1, 0],
      [2, 30],
      [3, 60],
    ] as const) {
      clock.seconds = at;
      feed.observeNode(node('n1', true), node('n1', false, `${at}`));
      feed.observeNode(node('n1', false), node('n1', true));
      if (count !== 2) feed.observeEvent(byController(count, at));
    }
    expect(feed.take(9)).toHaveLength(3);
  });

  test('is known from the Event where the watch missed it', () => {
    const { feed } = startFeed();
    feed.observeNode(undefined, node('n1', false));
    feed.observeEvent(byController(1, -200));
    feed.observeEvent(byController(2, -30));
    expect(feed.take(9)).toHaveLength(2);
  });

  test.each([
    ['a node first seen', undefined, node('n1', false)],
    ['a node still not ready', node('n1', false), node('n1', false, '2')],
    ['a node ready again', node('n1', false), node('n1', true)],
    ['a node gone', node('n1', true), undefined],
    ['a node replaced', node('n1', true), node('n1', false, '1', 'other')],
  ])('%s is no event', (_what, before, after) => {
    const { feed } = startFeed();
    feed.observeNode(before, after);
    expect(feed.waiting).toBe(0);
  });

  test('is sent about the node', () => {
    const { feed, clock } = startFeed();
    feed.observeNode(node('n1', true), node('n1', false, '2'));
    expect(feed.take(1)).toEqual([
      {
        key: 'uid-n1/not-ready/2',
        kind: 'NodeNotReady',
        severity: 'Warning',
        reason: 'NodeNotReady',
        message: 'Node n1 is no longer ready',
        involvedObject: { kind: 'Node', namespace: '', name: 'n1' },
        name: `n1.${START.toString(16)}`,
        count: 1,
        at: clock.now(),
      },
    ]);
  });
});
