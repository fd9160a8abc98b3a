import type { KubeObject } from '../../kube/object.ts';
import type { JsonObject } from '../../lib/json.ts';
import { type ActionContext, formatTarget } from '../action.ts';
import { fencedPatch } from '../fenced-patch.ts';
import { listNames } from '../listing.ts';
import { type Failure, failed } from '../outcome.ts';
import { changeOf, isEmpty, partOf, type Step, templatePatch, valuesOf } from './change.ts';
import type { Request } from './params.ts';
import { type Recorded, resultOf, supersededBy, withStep } from './record.ts';
import { readWorkload, type Workload, workloadRef, workloadTarget } from './workload.ts';

/** What one pass works with: the workload as it was read, and what is recorded of it by now. */
export interface Look {
  readonly request: Request;
  readonly context: ActionContext;
  readonly workload: Workload;
  readonly recorded: Recorded;
}

interface State {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly workload: Workload;
}

/**
 * Writes one step, the template by a strategic merge patch and the replicas through /scale, taken only by the workload that was read (FIELD.md
 * F2, M16). After a conflict it reads again, and writes again only where the values are still as they were recorded.
 */
export async function write(step: Step, { request, context, workload: known, recorded }: Look): Promise<Failure | undefined> {
  const { cluster, signal } = context;
  const ref = workloadRef(request);
  const read = async () => {
    const found = await readWorkload(request, context);
    if ('failure' in found) return found;
    const failure = supersededBy(request, recorded, changeOf(request, found.workload));
    return failure ? { failure } : { state: stateOf(found.workload) };
  };
  const change = ({ workload }: State): { spec: JsonObject } | undefined => {
    const part = partOf(changeOf(request, workload), step);
    if (isEmpty(part)) return undefined;
    return { spec: step === 'Template' ? templatePatch(part) : { replicas: part.replicas?.to } };
  };
  const send = (patch: JsonObject) =>
    step === 'Template' ? cluster.strategicPatch(ref, patch, signal) : cluster.patchScale(ref, patch, signal);
  const written = await fencedPatch({ ref, read, change, send }, context, stateOf(known));
  if ('failure' in written) return written.failure;
  const ignored = written.answer ? notKept(step, request, written.answer) : [];
  if (ignored.length === 0) return undefined;
  const name = formatTarget(workloadTarget(request));
  return failed('NotKept', `the API server took the change but ${name} did not keep it: ${listNames(ignored)}`, {
    result: resultOf(withStep(recorded, step)),
  });
}

function stateOf(workload: Workload): State {
  const { uid, resourceVersion } = workload.metadata;
  return { uid, resourceVersion, workload };
}

/** What the answer to the write does not show. */
function notKept(step: Step, request: Request, answer: KubeObject): readonly string[] {
  if (step === 'Template') return [...valuesOf(partOf(changeOf(request, answer as unknown as Workload), step)).keys()];
  // A Scale of none has no member replicas.
  return (answer.spec?.replicas ?? 0) === request.replicas ? [] : ['replicas'];
}
