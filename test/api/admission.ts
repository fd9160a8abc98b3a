import { API_VERSION } from '../../operator/api/group.ts';
import type { JsonObject } from '../../operator/lib/json.ts';
import { controlPlane } from '../cluster/shared.ts';

/** The kinds by their collections. */
export type Plural = 'optimizationactions' | 'optimizationbackends';

const KINDS = { optimizationactions: 'OptimizationAction', optimizationbackends: 'OptimizationBackend' } as const;

interface Refusal {
  readonly message?: string;
}

/** The path of a collection of ours in this namespace. */
export function collection(namespace: string, plural: Plural): string {
  return `/apis/${API_VERSION}/namespaces/${namespace}/${plural}`;
}

/** An object with this spec and name. */
export function object(plural: Plural, name: string, spec: JsonObject): JsonObject {
  return { apiVersion: API_VERSION, kind: KINDS[plural], metadata: { name }, spec };
}

/** Asks the API server whether it would create this object; returns its message when it would not. */
export async function refusalToCreate(namespace: string, plural: Plural, spec: JsonObject, name = 'case'): Promise<string | undefined> {
  const path = `${collection(namespace, plural)}?dryRun=All&fieldValidation=Strict`;
  const { status, body } = await controlPlane.api.call<Refusal>('POST', path, object(plural, name, spec));
  return status < 300 ? undefined : (body.message ?? `status ${status}`);
}

/** Creates an object with the first spec and asks whether its spec may become the second; returns the message when it may not. */
export async function refusalToUpdate(namespace: string, plural: Plural, from: JsonObject, to: JsonObject): Promise<string | undefined> {
  const path = collection(namespace, plural);
  const made = await controlPlane.api.create<JsonObject & { metadata: { name: string } }>(path, {
    ...object(plural, '', from),
    metadata: { generateName: 'case-' },
  });
  const { status, body } = await controlPlane.api.call<Refusal>('PUT', `${path}/${made.metadata.name}?dryRun=All`, { ...made, spec: to });
  return status < 300 ? undefined : (body.message ?? `status ${status}`);
}
