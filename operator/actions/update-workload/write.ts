import type { KubeObject } from '../../kube/object.ts';
import type { JsonObject } from '../../lib/json.ts';
import { type ActionContext, formatTarget } from '../action.ts';
import { fencedPatch } from '../fenced-patch.ts';
import { listNames } from '../listing.ts';
import { type Failure, failed } from '../outcome.ts';
import { changeOf, templatePatch, valuesOf } from './change.ts';
import type { Request } from './params.ts';
import { type Recorded, resultOf, type Step, supersededBy } from './record.ts';
import { readWorkload, type Workload, workloadRef, workloadTarget } from './workload.ts';

interface State {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly workload: Workload;
}

/**
 * Writes one step, the template by a strategic merge patch and the replicas through /scale, taken only by the workload that was read (FIELD.md
 * F2, M16). After a conflict it reads again, and writes again only where the values are still as they were recorded.
 */
export async function write(
  step: Step,
  request: Request,
  context: ActionContext,
  known: Workload,
  recorded: Recorded,
): Promise<Failure | undefined> {
  const { cluster, signal } = context;
  const ref = workloadRef(request);
  const read = async () => {
    const found = await readWorkload(request, context);
    if ('failure' in found) return found;
    const failure = supersededBy(request, recorded, changeOf(request, found.workload));
    return failure ? { failure } : { state: stateOf(found.workload) };
  };
  const change = ({ workload }: State): { spec: JsonObject } | undefined => {
    const left = changeOf(request, workload);
    if (step === 'Template') return left.containers ? { spec: templatePatch(left) } : undefined;
    return left.replicas ? { spec: { replicas: left.replicas.to } } : undefined;
  };
  const send = (patch: JsonObject) =>
    step === 'Template' ? cluster.strategicPatch(ref, patch, signal) : cluster.patchScale(ref, patch, signal);
  const written = await fencedPatch({ ref, read, change, send }, context, stateOf(known));
  if ('failure' in written) return written.failure;
  const ignored = written.answer ? notKept(step, request, written.answer) : [];
  if (ignored.length === 0) return undefined;
  const name = formatTarget(workloadTarget(request));
  return failed('NotKept', `the API server took the change but ${name} did not keep it: ${listNames(ignored)}`, {
    result: resultOf({ ...recorded, written: [...recorded.written, step] }),
  });
}

function stateOf(workload: Workload): State {
  const { uid, resourceVersion } = workload.metadata;
  return { uid, resourceVersion, workload };
}

/** What the answer to the write does not show. */
function notKept(step: Step, request: Request, answer: KubeObject): readonly string[] {
  if (step === 'Template') {
    const { containers } = changeOf(request, answer as unknown as Workload);
    return [...valuesOf({ ...(containers ? { containers } : {}) }).keys()];
  }
  // A Scale of none has no member replicas.
  return (answer.spec?.replicas ?? 0) === request.replicas ? [] : ['replicas'];
}
