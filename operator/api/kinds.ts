import type { z } from 'zod';
import type { ActionDefinition } from '../actions/action.ts';
import type { Resource } from '../kube/object.ts';
import type { ValidationRule } from './fields.ts';
import { OPTIMIZATION_ACTIONS } from './optimization-action.ts';
import { optimizationActionSpec } from './optimization-action-spec.ts';
import { optimizationActionStatus } from './optimization-action-status.ts';
import { OPTIMIZATION_BACKENDS, optimizationBackendSpec, optimizationBackendStatus } from './optimization-backend.ts';

/** One column of `kubectl get`; `wide` ones are shown with `-o wide` only. */
export interface Column {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'date';
  readonly description: string;
  readonly jsonPath: string;
  readonly wide?: boolean;
}

/** Everything a CustomResourceDefinition says about one kind. */
export interface Kind {
  readonly resource: Resource;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly summary: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  readonly columns: readonly Column[];
  readonly selectableFields: readonly string[];
  /** Rules about the object as a whole, its metadata included. */
  readonly validations?: readonly ValidationRule[];
}

/** Every kind of ours, with the actions that a request can name. */
export function kinds(actions: readonly ActionDefinition[]): readonly Kind[] {
  return [
    {
      resource: OPTIMIZATION_ACTIONS,
      singular: 'optimizationaction',
      shortNames: ['oa'],
      summary:
        'OptimizationAction is one recorded request to do one thing in the cluster. It counts in the namespace of the operator only.',
      spec: optimizationActionSpec(actions),
      status: optimizationActionStatus,
      columns: actionColumns,
      selectableFields: ['.spec.action', '.spec.source.backend', '.status.phase', '.status.target'],
    },
    {
      resource: OPTIMIZATION_BACKENDS,
      singular: 'optimizationbackend',
      shortNames: ['ob'],
      summary: 'OptimizationBackend is one upstream that hands out tasks and takes results and snapshots.',
      spec: optimizationBackendSpec(actions.map((each) => each.name)),
      status: optimizationBackendStatus,
      columns: backendColumns,
      selectableFields: ['.spec.protocol'],
      validations: [shortName],
    },
  ];
}

// Mirrored requests carry the name of their backend as a label value and as the first part of their own name.
const shortName: ValidationRule = {
  rule: 'size(self.metadata.name) <= 63',
  message: 'metadata.name must have at most 63 characters: it becomes the value of a label',
};

const age: Column = { name: 'Age', type: 'date', description: 'Time since it was created.', jsonPath: '.metadata.creationTimestamp' };

const actionColumns: readonly Column[] = [
  { name: 'Action', type: 'string', description: 'What to do.', jsonPath: '.spec.action' },
  { name: 'Target', type: 'string', description: 'What it is aimed at.', jsonPath: '.status.target' },
  { name: 'Phase', type: 'string', description: 'The life of the request in one word.', jsonPath: '.status.phase' },
  { name: 'Progress', type: 'string', description: 'Steps done of all steps.', jsonPath: '.status.progress.text' },
  { name: 'Reason', type: 'string', description: 'The cause of its state.', jsonPath: of('Ready', 'reason') },
  age,
  { name: 'Backend', type: 'string', description: 'The backend that asked.', jsonPath: '.spec.source.backend', wide: true },
  // A date column shows times to come as <invalid>.
  { name: 'Deadline', type: 'string', description: 'After it the action does not start.', jsonPath: '.spec.deadline', wide: true },
  { name: 'Reported', type: 'string', description: 'Whether the backend took the result.', jsonPath: of('Reported', 'status'), wide: true },
  { name: 'Message', type: 'string', description: 'The cause in words.', jsonPath: of('Ready', 'message'), wide: true },
];

const backendColumns: readonly Column[] = [
  { name: 'Protocol', type: 'string', description: 'The protocol the upstream speaks.', jsonPath: '.spec.protocol' },
  { name: 'URL', type: 'string', description: 'The base URL of the upstream.', jsonPath: '.spec.url' },
  { name: 'Connected', type: 'string', description: 'Whether the upstream answers.', jsonPath: of('Connected', 'status') },
  { name: 'Tasks', type: 'integer', description: 'New tasks received.', jsonPath: '.status.tasks.received' },
  { name: 'Last-Contact', type: 'date', description: 'Time since the upstream last answered.', jsonPath: '.status.lastContactTime' },
  age,
];

function of(condition: string, member: string): string {
  return `.status.conditions[?(@.type=="${condition}")].${member}`;
}
