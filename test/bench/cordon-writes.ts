import { setTimeout as sleep } from 'node:timers/promises';
import { waitFor } from '../cluster/wait-for.ts';
import { type Figure, type Line, median, note } from './figure.ts';
import { type AuditEvent, type Rig, withRig } from './rig.ts';

const REPETITIONS = 5;
/** Longer than anything that is written late: counts in a status, Events. */
const SETTLE_MS = 4000;
const writes = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);
const lines = ['cordon-writes', 'cordon-writes-noop'] as const;

/** What the operator writes to the API server for one Cordon, by the audit log: from the task until all is told, and when nothing is to do. */
export const cordonWrites: Figure = { name: 'cordon-writes', lines, measure: () => withRig({ audit: true }, measure) };

async function measure(rig: Rig): Promise<Line[]> {
  await using operator = await rig.operator();
  await operator.ready();
  await rig.backend.socketOpen();
  await sleep(SETTLE_MS);
  const work: number[] = [];
  const nothing: number[] = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
    const node = rig.nodes[repetition] ?? '';
    const task = `cordon-${repetition}`;
    const first = await during(rig, () => rig.run(task, 'cordon_node', node));
    const repeated = await during(rig, () => repeat(rig, task, node));
    const cordoned = await during(rig, () => rig.run(`${task}-again`, 'cordon_node', node));
    work.push(first.length);
    nothing.push(repeated.length + cordoned.filter(({ objectRef }) => objectRef?.resource === 'nodes').length);
    note(`cordon-writes ${repetition}/${REPETITIONS}: ${first.length}: ${said(first)}`);
    note(`  the task repeated: ${repeated.length} ${said(repeated)}; another task, node cordoned: ${said(cordoned)}`);
  }
  const line = (figure: string, ours: number, floor: number, most: number): Line => {
    return { figure, ours, unit: 'writes', peer: null, floor, goal: `<= ${most}`, met: ours <= most };
  };
  return [line(lines[0], median(work), 1, 5), line(lines[1], median(nothing), 0, 0)];
}

/** The writes between now and a few seconds after the work. */
async function during(rig: Rig, work: () => Promise<unknown>): Promise<AuditEvent[]> {
  const before = new Set((await rig.requests()).map(({ auditID }) => auditID));
  await work();
  await sleep(SETTLE_MS);
  return (await rig.requests()).filter(({ auditID, verb }) => writes.has(verb) && !before.has(auditID));
}

async function repeat(rig: Rig, task: string, node: string): Promise<void> {
  const { results } = rig.backend.heard;
  const told = results.length;
  rig.backend.pushTask({ task_id: task, task_type: 'cordon_node', parameters: { node_name: node } });
  await waitFor(() => results.slice(told).some(({ taskID }) => taskID === task), { what: `the result of ${task} was told again` });
}

function said(events: readonly AuditEvent[]): string {
  return events.map(({ verb, objectRef }) => [verb, objectRef?.resource, objectRef?.subresource].filter(Boolean).join(' ')).join(', ');
}
