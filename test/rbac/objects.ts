import { findAction } from '../../operator/actions/index.ts';
import { API_VERSION } from '../../operator/api/group.ts';
import { OPTIMIZATION_ACTIONS, type OptimizationAction } from '../../operator/api/optimization-action.ts';
import { collectionPath } from '../../operator/kube/resources.ts';
import type { JsonObject } from '../../operator/lib/json.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { NAMESPACE } from './install.ts';
import type { Rig } from './rig.ts';

/** An action to be carried out, as a user writes it. */
export interface Wanted {
  /** The name of the action, such as `Drain`. */
  readonly action: string;
  readonly params: JsonObject;
  /** More members of the spec. */
  readonly spec?: JsonObject;
}

const collection = collectionPath(OPTIMIZATION_ACTIONS, NAMESPACE);
let made = 0;

/** Makes an OptimizationAction as `kubectl apply` would and returns its name. */
export async function make(rig: Rig, { action, params, spec = {} }: Wanted): Promise<string> {
  made += 1;
  const name = `${action.toLowerCase()}-${made}`;
  const { kind } = OPTIMIZATION_ACTIONS;
  const member = findAction(action)?.member ?? '';
  await rig.cp.api.create(collection, {
    apiVersion: API_VERSION,
    kind,
    metadata: { name },
    spec: { action, [member]: params, ...spec },
  });
  return name;
}

/** Reads an OptimizationAction; undefined when it is not there. */
export async function read(rig: Rig, name: string): Promise<OptimizationAction | undefined> {
  const { status, body } = await rig.cp.api.call<OptimizationAction>('GET', `${collection}/${name}`);
  return status === 200 ? body : undefined;
}

/** Changes the spec of an OptimizationAction. */
export async function change(rig: Rig, name: string, spec: JsonObject): Promise<void> {
  await rig.cp.api.patch(`${collection}/${name}`, { spec });
}

/** Asks for the deletion of an OptimizationAction and resolves when it is gone. */
export async function remove(rig: Rig, name: string): Promise<void> {
  await rig.cp.api.remove(`${collection}/${name}`);
  await waitFor(async () => (await read(rig, name)) === undefined, { what: `${name} is gone` });
}

/** Resolves when the action has ended; throws, with what it says of itself, when it ended in another phase. */
export async function ended(rig: Rig, name: string, phase: string): Promise<OptimizationAction> {
  const isEnded = async () => {
    const object = await read(rig, name);
    return object?.status?.finishedAt !== undefined && object;
  };
  const object = await waitFor(isEnded, { what: `${name} has ended` }).catch(async (error: unknown) => {
    throw new Error(`${String(error)}: ${JSON.stringify((await read(rig, name))?.status)}`);
  });
  if (object.status?.phase !== phase) throw new Error(`${name} ended, not as ${phase}: ${JSON.stringify(object.status)}`);
  return object;
}

/** Plans it, which must do without any right to write, and then has it done. */
export async function planAndRun(rig: Rig, wanted: Wanted): Promise<void> {
  await ended(rig, await make(rig, { ...wanted, spec: { ...wanted.spec, mode: 'Plan' } }), 'Planned');
  await ended(rig, await make(rig, wanted), 'Succeeded');
}

let offered = 0;

/** Has the backend hand out a task, with more members where given, and resolves with the status of its result. */
export async function runTask({ backend }: Rig, taskType: string, parameters: JsonObject, more: JsonObject = {}): Promise<string> {
  offered += 1;
  await backend.socketOpen();
  const { task_id } = backend.pushTask({ task_id: `task-${offered}`, task_type: taskType, parameters, ...more }, { alsoPoll: true });
  return (await backend.result(task_id, 20_000)).body.status;
}
