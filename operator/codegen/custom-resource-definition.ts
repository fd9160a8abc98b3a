import type { Column, Kind } from '../api/kinds.ts';
import type { JsonObject } from '../lib/json.ts';
import { type Structural, structural } from './structural.ts';

/** The structural schema of a kind's `spec` and `status`. */
export function schemaOf(kind: Kind): { readonly spec: Structural; readonly status: Structural } {
  return { spec: structural(kind.spec, 'spec'), status: structural(kind.status, 'status') };
}

/** The CustomResourceDefinition of a kind. */
export function customResourceDefinition(kind: Kind): JsonObject {
  const { group, kind: name, plural, version } = kind.resource;
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels: { 'app.kubernetes.io/name': 'cloudoptim-operator' } },
    spec: {
      group,
      scope: kind.resource.namespaced ? 'Namespaced' : 'Cluster',
      names: {
        kind: name,
        listKind: `${name}List`,
        plural,
        singular: kind.singular,
        shortNames: kind.shortNames,
        categories: ['cloudoptim'],
      },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: kind.columns.map(column),
          // The API server leaves out an empty list, so that it would look changed each time.
          ...(kind.selectableFields.length > 0 ? { selectableFields: kind.selectableFields.map((jsonPath) => ({ jsonPath })) } : {}),
          schema: { openAPIV3Schema: rootSchema(kind) },
        },
      ],
    },
  };
}

function column({ wide, ...shown }: Column): JsonObject {
  return { ...shown, ...(wide ? { priority: 1 } : {}) };
}

function rootSchema(kind: Kind): JsonObject {
  return {
    type: 'object',
    description: kind.summary,
    required: ['spec'],
    properties: {
      apiVersion: { type: 'string', description: `The version of this schema: ${kind.resource.group}/${kind.resource.version}.` },
      kind: { type: 'string', description: `The kind of the object: ${kind.resource.kind}.` },
      metadata: { type: 'object' },
      ...schemaOf(kind),
    },
    ...(kind.validations ? { 'x-kubernetes-validations': kind.validations.map((each) => ({ ...each })) } : {}),
  };
}
