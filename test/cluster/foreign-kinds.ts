import type { HasApi } from './nodes.ts';

/** A kind of somebody else's that objects of a test are of. */
export interface ForeignKind {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
}

/** The ScaledObject of KEDA. */
export const SCALED_OBJECT: ForeignKind = { group: 'keda.sh', version: 'v1alpha1', plural: 'scaledobjects', kind: 'ScaledObject' };
/** The VerticalPodAutoscaler. */
export const VERTICAL_POD_AUTOSCALER: ForeignKind = {
  group: 'autoscaling.k8s.io',
  version: 'v1',
  plural: 'verticalpodautoscalers',
  kind: 'VerticalPodAutoscaler',
};

/** Installs the kind without any schema, unless another test did; it stays, because nobody knows who else uses it. */
export async function installKind({ api }: HasApi, { group, version, plural, kind }: ForeignKind): Promise<void> {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  const { status } = await api.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: `${plural}.${group}`, annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' } },
    spec: {
      group,
      scope: 'Namespaced',
      names: { plural, kind, singular: kind.toLowerCase() },
      versions: [{ name: version, served: true, storage: true, schema }],
    },
  });
  if (status >= 300 && status !== 409) throw new Error(`the kind ${kind} cannot be installed: ${status}`);
}
