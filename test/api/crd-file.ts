import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ValidationRule } from '../../operator/api/fields.ts';
import type { Structural } from '../../operator/codegen/structural.ts';
import type { Plural } from './admission.ts';

const FILES = { optimizationactions: 'optimization-action.yaml', optimizationbackends: 'optimization-backend.yaml' } as const;

/** The schema of a kind as the committed CRD has it. */
export function rootSchema(plural: Plural): Structural {
  const text = readFileSync(join(import.meta.dirname, '../../crds', FILES[plural]), 'utf8');
  const crd = parse(text) as { spec: { versions: [{ schema: { openAPIV3Schema: Structural } }] } };
  return crd.spec.versions[0].schema.openAPIV3Schema;
}

/** Every CEL rule in a schema with the path of what carries it. */
export function rulesIn(schema: Structural, path = ''): readonly (ValidationRule & { readonly path: string })[] {
  const own = (schema['x-kubernetes-validations'] ?? []) as unknown as readonly ValidationRule[];
  return [...own.map((rule) => ({ ...rule, path })), ...fieldsOf(schema).flatMap(([name, field]) => rulesIn(field, below(path, name)))];
}

/** Every field below a schema with its path and the schema that holds it; items of lists count as `[]`, values of maps as `{}`. */
export function leavesOf(schema: Structural, path: string): readonly { readonly path: string; readonly schema: Structural }[] {
  return fieldsOf(schema).flatMap(([name, field]) => [{ path: below(path, name), schema: field }, ...leavesOf(field, below(path, name))]);
}

function fieldsOf(schema: Structural): readonly (readonly [string, Structural])[] {
  return [
    ...Object.entries(schema.properties ?? {}),
    ...(schema.items ? [['[]', schema.items] as const] : []),
    ...(schema.additionalProperties ? [['{}', schema.additionalProperties] as const] : []),
  ];
}

function below(path: string, name: string): string {
  return path === '' ? name : name === '[]' || name === '{}' ? path + name : `${path}.${name}`;
}
