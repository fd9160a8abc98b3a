import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../cluster/wait-for.ts';
import { type Figure, type Line, median, note, percentile, round } from './figure.ts';
import { observeIdle } from './idle.ts';
import { RawApi } from './raw-api.ts';
import { type AuditEvent, type Rig, withRig } from './rig.ts';
import { makeVolumes, session, sessionsPath, untilRunning, watchReady } from './sessions.ts';

const RESIDENT = 200;
const BURST = 50;
const REPETITIONS = 5;
/** Longer than anything that is written late: Events. */
const SETTLE_MS = 4000;
const WRITES = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
/** Deployment, Service and PersistentVolumeClaim. */
const OBJECTS = 3;
const writeLines = ['session-writes'] as const;
const burstLines = ['session-burst-p50', 'session-burst-p99', 'session-burst-refused'] as const;
const idleLines = ['session-idle-memory', 'session-idle-cpu', 'session-idle-requests'] as const;

/** What the operator writes for the start of one session with a home, by the audit log: its own status and Events included. */
export const sessionWrites: Figure = { name: 'session-writes', lines: writeLines, measure: () => withRig({ audit: true }, measureWrites) };

/** Fifty sessions made at the same time: how long each takes, and how many of the operator's writes the API server refused. */
export const sessionBurst: Figure = { name: 'session-burst', lines: burstLines, measure: () => withRig({ audit: true }, measureBurst) };

/** What the operator costs with two hundred sessions that run and that nobody changes. */
export const sessionIdle: Figure = { name: 'session-idle', lines: idleLines, measure: () => withRig({ audit: true }, measureIdle) };

async function measureWrites(rig: Rig): Promise<Line[]> {
  await makeVolumes(rig, REPETITIONS);
  await using operator = await rig.operator();
  await operator.ready();
  await sleep(SETTLE_MS);
  const counts: number[] = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
    const before = new Set((await rig.requests()).map(({ auditID }) => auditID));
    await rig.cp.api.create(sessionsPath, session(`writes-${repetition}`, true));
    await untilRunning(rig, repetition);
    await sleep(SETTLE_MS);
    const written = (await rig.requests()).filter((event) => isWrite(event) && !before.has(event.auditID));
    counts.push(written.length);
    note(`session-writes ${repetition}/${REPETITIONS}: ${written.length}: ${written.map(said).join(', ')}`);
  }
  const ours = median(counts);
  const most = OBJECTS + 4;
  return [{ figure: writeLines[0], ours, unit: 'writes', peer: null, floor: OBJECTS, goal: `<= ${most}`, met: ours <= most }];
}

async function measureBurst(rig: Rig): Promise<Line[]> {
  await using operator = await rig.operator();
  await operator.ready();
  await using api = await RawApi.connect(rig.cp, BURST + 1);
  const ready = await watchReady(api);
  const p50s: number[] = [];
  const p99s: number[] = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
    const names = Array.from({ length: BURST }, (_, index) => `burst-${repetition}-${index}`);
    const began = new Map<string, number>();
    await Promise.all(
      names.map(async (name) => {
        began.set(name, performance.now());
        const { status } = await api.call('POST', sessionsPath, session(name));
        if (status !== 201) throw new Error(`${name} was not made: ${status}`);
      }),
    );
    const all = () => names.every((name) => ready.has(`${name}/Running`));
    await api.guarded(waitFor(all, { within: 120_000, what: `${BURST} sessions run` }));
    const times = names.map((name) => (ready.get(`${name}/Running`) ?? 0) - (began.get(name) ?? 0));
    p50s.push(percentile(times, 50));
    p99s.push(percentile(times, 99));
    note(`session-burst ${repetition}/${REPETITIONS}: p50 ${p50s.at(-1)?.toFixed(0)} ms, p99 ${p99s.at(-1)?.toFixed(0)} ms`);
    await Promise.all(names.map((name) => rig.cp.api.remove(`${sessionsPath}/${name}`)));
    await waitFor(async () => (await rig.cp.api.get<{ items: unknown[] }>(sessionsPath)).items.length === 0, {
      within: 60_000,
      what: 'all are gone',
    });
  }
  const refused = (await rig.requests()).filter((event) => isWrite(event) && (event.responseStatus?.code ?? 0) >= 400);
  for (const event of refused.slice(0, 10)) note(`refused: ${event.responseStatus?.code} ${said(event)}`);
  const [p50, p99] = [median(p50s), median(p99s)];
  const ratio = round(p99 / p50, 2);
  const common = { unit: 'ms', peer: null, floor: null };
  return [
    { figure: burstLines[0], ours: round(p50, 1), ...common, goal: null, met: null },
    { figure: burstLines[1], ours: round(p99, 1), ...common, goal: '<= 3 x p50', met: ratio <= 3, ratio },
    { figure: burstLines[2], ours: refused.length, unit: 'refused writes', peer: null, floor: 0, goal: '<= 0', met: refused.length === 0 },
  ];
}

async function measureIdle(rig: Rig): Promise<Line[]> {
  await using operator = await rig.operator({ MAX_SESSIONS: String(RESIDENT) });
  await operator.ready();
  await rig.backend.socketOpen();
  for (let index = 0; index < RESIDENT; index++) await rig.cp.api.create(sessionsPath, session(`resident-${index}`));
  await untilRunning(rig, RESIDENT);
  const { memory, cores, perMinute } = await observeIdle(rig, operator.pid);
  const line = (figure: string, ours: number, unit: string, most: number | null): Line => {
    return {
      figure,
      ours,
      unit,
      peer: null,
      floor: null,
      goal: most === null ? null : `<= ${most} ${unit}`,
      met: most === null ? null : ours <= most,
    };
  };
  return [
    line(idleLines[0], round(memory, 1), 'MB', null),
    line(idleLines[1], round(cores, 4), 'cores', null),
    line(idleLines[2], round(perMinute, 1), 'requests/min', 0),
  ];
}

function isWrite({ verb }: AuditEvent): boolean {
  return WRITES.has(verb);
}

function said({ verb, objectRef }: AuditEvent): string {
  return [verb, objectRef?.resource, objectRef?.subresource].filter(Boolean).join(' ');
}
