import { waitFor } from '../cluster/wait-for.ts';
import { withCrowd } from './crowd.ts';
import { type Figure, type Line, median, note, round } from './figure.ts';
import { type AuditEvent, PODS, type Rig, withRig } from './rig.ts';

const REPETITIONS = 3;
const REPLICAS = 20;
const NAME = 'first-blocker';
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const ACTIONS = '/apis/cloudoptim.io/v1alpha1/namespaces/cloudoptim/optimizationactions';

/**
 * From the first eviction that the API server refused until the blockers were in the status, by the audit log (FIELD.md F3, A3). An admission policy
 * refuses, because what a budget refuses is told even before the first question.
 */
export const firstBlocker: Figure = { name: NAME, lines: [NAME], measure: () => withRig({ audit: true }, measure) };

async function measure(rig: Rig): Promise<Line[]> {
  const rule = { apiGroups: [''], apiVersions: ['v1'], resources: ['pods/eviction'], operations: ['CREATE'] };
  const validations = [{ expression: 'false', message: 'none may go' }];
  const [policy, binding] = [`${ADMISSION}/validatingadmissionpolicies`, `${ADMISSION}/validatingadmissionpolicybindings`];
  await rig.cp.api.create(policy, { metadata: { name: NAME }, spec: { matchConstraints: { resourceRules: [rule] }, validations } });
  await rig.cp.api.create(binding, { metadata: { name: NAME }, spec: { policyName: NAME, validationActions: ['Deny'] } });
  await using operator = await rig.operator();
  await operator.ready();
  await rig.backend.socketOpen();
  const node = rig.nodes[0] ?? '';
  const taken: number[] = [];
  for (let repetition = 1; repetition <= REPETITIONS; repetition++) {
    const milliseconds = await withCrowd(rig, node, REPLICAS, false, () => untilTold(rig, `${NAME}-${repetition}`, node));
    taken.push(milliseconds);
    note(`${NAME} ${repetition}/${REPETITIONS}: ${milliseconds.toFixed(1)} ms`);
  }
  const ours = median(taken);
  return [{ figure: NAME, ours: round(ours, 1), unit: 'ms', peer: null, floor: null, goal: '<= 2000', met: ours <= 2000 }];
}

async function untilTold(rig: Rig, taskID: string, node: string): Promise<number> {
  rig.backend.pushTask({ task_id: taskID, task_type: 'drain_node', parameters: { node_name: node } });
  const name = await waitFor(() => blockedAction(rig, taskID), { what: `${taskID} names its blockers` });
  const requests = (await rig.requests()).filter(({ objectRef }) => objectRef?.name === name || objectRef?.namespace === PODS);
  const started = requests.findIndex(({ objectRef }) => objectRef?.name === name);
  const own = requests.slice(started);
  const refused = own.find(({ objectRef, responseStatus }) => objectRef?.subresource === 'eviction' && (responseStatus?.code ?? 0) >= 400);
  const told = own.find((event) => isStatusWrite(event, name) && refused && event.requestReceivedTimestamp >= refused.stageTimestamp);
  if (!refused || !told) throw new Error(`the audit log has no refused eviction of ${taskID}, or no status after it`);
  await rig.cp.api.patch(`${ACTIONS}/${name}`, { spec: { cancel: true } });
  await rig.backend.result(taskID, 60_000);
  return Date.parse(told.stageTimestamp) - Date.parse(refused.stageTimestamp);
}

function isStatusWrite({ verb, objectRef }: AuditEvent, name: string): boolean {
  return verb === 'patch' && objectRef?.name === name && objectRef.subresource === 'status';
}

/** The name of the action of this task, when its blockers are in the status. */
async function blockedAction(rig: Rig, taskID: string): Promise<string | undefined> {
  interface Action {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly source?: { readonly taskID: string } };
    readonly status?: { readonly blockers?: readonly unknown[] };
  }
  const { items } = await rig.cp.api.get<{ items: readonly Action[] }>(ACTIONS);
  return items.find(({ spec, status }) => spec.source?.taskID === taskID && status?.blockers?.length === REPLICAS)?.metadata.name;
}
