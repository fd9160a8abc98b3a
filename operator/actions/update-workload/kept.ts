import { type ActionContext, formatTarget } from '../action.ts';
import { listNames } from '../listing.ts';
import { changeOf, linesOf } from './change.ts';
import type { Request } from './params.ts';
import { readRecord } from './record.ts';
import { readWorkload, workloadTarget } from './workload.ts';

/**
 * Says which values of an update that failed or was stopped are written, and how to go back; it takes nothing back by itself. The workload is
 * asked, because a process may have been killed between a write and its record.
 */
export async function tellWhatStays(request: Request, context: ActionContext): Promise<string | undefined> {
  const recorded = readRecord(context.before.result);
  if (!recorded || linesOf(recorded.change).length === 0) return undefined;
  const found = await readWorkload(request, context);
  if ('failure' in found) return undefined;
  const left = changeOf(request, found.workload);
  const containers = left.containers ? undefined : recorded.change.containers;
  const replicas = left.replicas ? undefined : recorded.change.replicas;
  const lines = linesOf({ ...(containers ? { containers } : {}), ...(replicas ? { replicas } : {}) });
  if (lines.length === 0) return undefined;
  const { kind, namespace, name } = request;
  const shown = `${kind.toLowerCase()}/${name}`;
  const back = [
    ...(containers ? [`kubectl -n ${namespace} rollout undo ${shown}`] : []),
    ...(replicas ? [`kubectl -n ${namespace} scale ${shown} --replicas=${replicas.from}`] : []),
  ];
  return `${formatTarget(workloadTarget(request))} keeps ${listNames(lines)}; to go back: ${back.join(' && ')}`;
}
