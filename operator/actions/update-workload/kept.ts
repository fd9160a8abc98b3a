import type { ActionContext } from '../action.ts';
import { listNames } from '../listing.ts';
import { linesOf } from './change.ts';
import type { Request } from './params.ts';
import { readRecord } from './record.ts';

/** Says what an update that failed or was stopped leaves written, and how to go back; it takes nothing back by itself. */
export function tellWhatStays({ kind, namespace, name }: Request, { before }: ActionContext): string | undefined {
  const { change, written } = readRecord(before.result) ?? { change: {}, written: [] };
  const template = written.includes('Template') ? change.containers : undefined;
  const replicas = written.includes('Replicas') ? change.replicas : undefined;
  const lines = linesOf({ ...(template ? { containers: template } : {}), ...(replicas ? { replicas } : {}) });
  if (lines.length === 0) return undefined;
  const shown = `${kind.toLowerCase()}/${name}`;
  const back = [
    ...(template ? [`kubectl -n ${namespace} rollout undo ${shown}`] : []),
    ...(replicas ? [`kubectl -n ${namespace} scale ${shown} --replicas=${replicas.from}`] : []),
  ];
  return `written before that: ${listNames(lines)}; to go back: ${back.join(' && ')}`;
}
