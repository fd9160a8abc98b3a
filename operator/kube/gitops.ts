import type { ObjectMeta } from './object.ts';

/** Labels and annotations by which Argo CD and Flux know the objects they keep as their repository says (FIELD.md A43, A47). */
const MARKS: Readonly<Record<string, string>> = {
  'argocd.argoproj.io/tracking-id': 'Argo CD',
  'argocd.argoproj.io/instance': 'Argo CD',
  'kustomize.toolkit.fluxcd.io/name': 'Flux',
  'helm.toolkit.fluxcd.io/name': 'Flux',
};

/** The GitOps tool that keeps this object, with the name it knows it by, such as `Flux (apps)`; undefined where none does. */
export function gitOpsOwner({ labels = {}, annotations = {} }: Pick<ObjectMeta, 'labels' | 'annotations'>): string | undefined {
  const mark = Object.keys(MARKS).find((key) => key in labels || key in annotations);
  return mark && `${MARKS[mark]} (${annotations[mark] ?? labels[mark]})`;
}
