import { isStatus } from './error.ts';
import type { KubeObject, Resource } from './object.ts';

const HORIZONTAL: Resource = {
  group: 'autoscaling',
  version: 'v2',
  plural: 'horizontalpodautoscalers',
  kind: 'HorizontalPodAutoscaler',
  namespaced: true,
};
const SCALED_OBJECTS: Resource = { group: 'keda.sh', version: 'v1alpha1', plural: 'scaledobjects', kind: 'ScaledObject', namespaced: true };
const VERTICAL: Resource = {
  group: 'autoscaling.k8s.io',
  version: 'v1',
  plural: 'verticalpodautoscalers',
  kind: 'VerticalPodAutoscaler',
  namespaced: true,
};

/** The workload that is looked for as the aim of autoscalers. */
export interface Aim {
  readonly namespace: string;
  readonly kind: string;
  readonly name: string;
}

/** Lists the objects of one namespace fresh; throws ApiError with 404 for a kind that is not installed. */
export type ListIn = (resource: Resource, namespace: string) => Promise<readonly KubeObject[]>;

/** What an autoscaler aims at; KEDA may leave out kind and API version. */
interface Reference {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly name?: string;
}

type Autoscaler = KubeObject<{
  readonly scaleTargetRef?: Reference;
  readonly targetRef?: Reference;
  readonly updatePolicy?: { readonly updateMode?: string } | null;
}>;

/** The HorizontalPodAutoscalers that keep the replicas; those that a ScaledObject made are told by the ScaledObject (FIELD.md A66). */
export async function horizontalAutoscalers(aim: Aim, list: ListIn): Promise<readonly string[]> {
  const found = await listThose(HORIZONTAL, aim, list, ({ spec }) => spec?.scaleTargetRef);
  const isMade = ({ metadata }: Autoscaler) => metadata.ownerReferences?.some(({ kind }) => kind === SCALED_OBJECTS.kind) ?? false;
  return found.filter((each) => !isMade(each)).map(({ metadata }) => metadata.name);
}

/** The ScaledObjects of KEDA that keep the replicas and are not paused at whatever number there is. */
export async function scaledObjects(aim: Aim, list: ListIn): Promise<readonly string[]> {
  const found = await listThose(SCALED_OBJECTS, aim, list, ({ spec }) => spec?.scaleTargetRef);
  const isPaused = ({ metadata: { annotations = {} } }: Autoscaler) =>
    annotations['autoscaling.keda.sh/paused'] === 'true' && annotations['autoscaling.keda.sh/paused-replicas'] === undefined;
  return found.filter((each) => !isPaused(each)).map(({ metadata }) => metadata.name);
}

/** The VerticalPodAutoscalers that write the requests of the pods; in mode Off they only recommend. */
export async function verticalAutoscalers(aim: Aim, list: ListIn): Promise<readonly string[]> {
  const found = await listThose(VERTICAL, aim, list, ({ spec }) => spec?.targetRef);
  return found.filter(({ spec }) => spec?.updatePolicy?.updateMode !== 'Off').map(({ metadata }) => metadata.name);
}

async function listThose(
  resource: Resource,
  { namespace, kind, name }: Aim,
  list: ListIn,
  aimOf: (autoscaler: Autoscaler) => Reference | undefined,
): Promise<readonly Autoscaler[]> {
  const aimsAtIt = (autoscaler: Autoscaler) => {
    const { apiVersion = 'apps/v1', kind: aimed = 'Deployment', name: aimedName } = aimOf(autoscaler) ?? {};
    return aimedName === name && aimed === kind && apiVersion.startsWith('apps/');
  };
  try {
    return ((await list(resource, namespace)) as unknown as readonly Autoscaler[]).filter(aimsAtIt);
  } catch (error) {
    // The kind is not installed; a missing right would be 403, which is no answer.
    if (isStatus(error, 404)) return [];
    throw error;
  }
}
