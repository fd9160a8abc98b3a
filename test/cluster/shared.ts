import { afterAll, inject } from 'vitest';
import { attach, type ControlPlaneAccess, type ControlPlaneDescription } from './access.ts';
// For the type of what is injected.
import type {} from './global-setup.ts';
import { createTenant, type Tenant } from './tenant.ts';

const tenants: Tenant[] = [];

/** The control plane that all test files of a run share; it cannot be stopped, and what is not of a tenant is seen by all. */
export const controlPlane: ControlPlaneAccess = attach(described());

/** Makes a tenant of the shared control plane, for a test or a whole file; it is removed after the file's last test. */
export async function tenant(name: string): Promise<Tenant> {
  const made = await createTenant(controlPlane, name);
  tenants.push(made);
  return made;
}

function described(): ControlPlaneDescription {
  const description = inject('controlPlane') as ControlPlaneDescription | undefined;
  if (!description)
    throw new Error('there is no shared control plane: vitest has to run with the globalSetup test/cluster/global-setup.ts');
  return description;
}

afterAll(async () => {
  await Promise.all(tenants.splice(0).map((made) => made.remove()));
  controlPlane.api.close();
});
