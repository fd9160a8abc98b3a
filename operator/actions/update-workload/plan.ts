import { type ActionContext, formatTarget, type Plan } from '../action.ts';
import { changeOf, linesOf } from './change.ts';
import { objectionsTo } from './guards.ts';
import type { Request } from './params.ts';
import { mismatchOf } from './pass.ts';
import { readWorkload, workloadTarget } from './workload.ts';

/** Every value before and after, and whatever would keep it from being written now. */
export async function planUpdate(request: Request, context: ActionContext): Promise<Plan> {
  const name = formatTarget(workloadTarget(request));
  const found = await readWorkload(request, context);
  if ('failure' in found) return { change: 0, skip: [], blocked: [`${name}: ${found.failure.message}`] };
  const { workload } = found;
  const left = changeOf(request, workload);
  const mismatch = mismatchOf(request, workload, left);
  if (mismatch) return { change: 0, skip: [], blocked: [mismatch.message] };
  const changes = linesOf(left).map((line) => `${name}: ${line}`);
  if (changes.length === 0) return { change: 0, skip: [`${name}: already is as asked for`], blocked: [] };
  const objections = await objectionsTo(left, request, workload, context);
  return { change: 1, changes, skip: [], blocked: objections.map(({ message }) => message) };
}
