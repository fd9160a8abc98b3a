import type { ActionDefinition } from './action.ts';
import { cordon } from './cordon.ts';
import { deletePod } from './delete-pod.ts';
import { drain } from './drain/drain.ts';
import { evict } from './evict.ts';
import { label } from './label.ts';
import { sessionHibernate } from './session-hibernate.ts';
import { sessionStart } from './session-start.ts';
import { sessionStop } from './session-stop.ts';
import { sessionWake } from './session-wake.ts';
import { uncordon } from './uncordon.ts';
import { updateWorkload } from './update-workload/update-workload.ts';

/** Every action there is, in the order of the docs; an explicit list, which a test compares with the folder (rule 6). */
export const actions = [
  drain,
  cordon,
  uncordon,
  label,
  evict,
  deletePod,
  updateWorkload,
  sessionStart,
  sessionStop,
  sessionHibernate,
  sessionWake,
] as const satisfies readonly ActionDefinition[];

/** The action of this name (`Drain`), if there is one. */
export function findAction(name: string): ActionDefinition | undefined {
  return actions.find((action) => action.name === name);
}
