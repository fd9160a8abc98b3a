import { type ActionContext, formatTarget } from '../action.ts';
import { listNames } from '../listing.ts';
import { changeOf, isEmpty, linesOf, partOf } from './change.ts';
import type { Request } from './params.ts';
import { brought, readRecord } from './record.ts';
import { readWorkload, workloadTarget } from './workload.ts';

/**
 * Says which values of an update that failed or was stopped are written, and how to go back; it takes nothing back by itself. The workload is
 * asked, because a process may have been killed between a write and its record.
 */
export async function tellWhatStays(request: Request, context: ActionContext): Promise<string | undefined> {
  const recorded = readRecord(context.before.result);
  if (!recorded || isEmpty(recorded.change)) return undefined;
  const found = await readWorkload(request, context);
  if ('failure' in found) return undefined;
  const { written } = brought(recorded, changeOf(request, found.workload));
  const lines = written.flatMap((step) => linesOf(partOf(recorded.change, step)));
  if (lines.length === 0) return undefined;
  const { kind, namespace, name } = request;
  const shown = `${kind.toLowerCase()}/${name}`;
  const back = [
    ...(written.includes('Template') ? [`kubectl -n ${namespace} rollout undo ${shown}`] : []),
    ...(written.includes('Replicas') ? [`kubectl -n ${namespace} scale ${shown} --replicas=${recorded.change.replicas?.from}`] : []),
  ];
  return `${formatTarget(workloadTarget(request))} keeps ${listNames(lines)}; to go back: ${back.join(' && ')}`;
}
