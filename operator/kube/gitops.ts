import type { ObjectMeta } from './object.ts';

/**
 * Labels and annotations by which Argo CD (by annotation, and by its older label) and Flux (Kustomization, HelmRelease) know their objects. The
 * label `app.kubernetes.io/instance` is also what Helm charts set: such an object is somebody's declared state as well.
 */
const MARKS = [
  'argocd.argoproj.io/tracking-id',
  'app.kubernetes.io/instance',
  'kustomize.toolkit.fluxcd.io/name',
  'helm.toolkit.fluxcd.io/name',
] as const;

/** Whether a GitOps tool tracks the object: whoever changes or deletes it behind that tool only makes the tool undo it (FIELD.md A43). */
export function isTrackedByGitOps({ labels = {}, annotations = {} }: Pick<ObjectMeta, 'labels' | 'annotations'>): boolean {
  return MARKS.some((mark) => mark in labels || mark in annotations);
}
