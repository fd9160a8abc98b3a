import type { TestProject } from 'vitest/node';
import type { ControlPlaneDescription } from './access.ts';
import { startControlPlane } from './control-plane.ts';
import { applyCrds } from './crds.ts';

declare module 'vitest' {
  interface ProvidedContext {
    controlPlane: ControlPlaneDescription;
  }
}

/** Starts the one control plane that all test files of a run share, with an audit log and our CRDs; returns what ends it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cp = await startControlPlane({ audit: true });
  try {
    await applyCrds(cp);
  } catch (error) {
    await cp.close();
    throw error;
  }
  const { url, port, dir, kubeconfig, caFile, binaries, auditLog } = cp;
  project.provide('controlPlane', { url, port, dir, kubeconfig, caFile, binaries, ...(auditLog ? { auditLog } : {}) });
  return () => cp.close();
}
