import type { z } from 'zod';
import type { ActionDefinition } from '../actions/action.ts';
import type { Resource } from '../kube/object.ts';
import type { ValidationRule } from './fields.ts';
import { OPTIMIZATION_ACTIONS } from './optimization-action.ts';
import { optimizationActionSpec } from './optimization-action-spec.ts';
import { optimizationActionStatus } from './optimization-action-status.ts';
import { OPTIMIZATION_BACKENDS, optimizationBackendSpec, optimizationBackendStatus } from './optimization-backend.ts';
import { SESSIONS, sessionStatus } from './session.ts';
import { sessionSpec } from './session-spec.ts';
import { SESSION_TEMPLATES, sessionTemplateSpec, sessionTemplateStatus } from './session-template.ts';

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
    {
      resource: SESSIONS,
      singular: 'session',
      shortNames: ['sess'],
      summary: 'Session is one user’s desktop or tool: running, hibernated or stopped. It counts in the namespace of the sessions only.',
      spec: sessionSpec,
      status: sessionStatus,
      columns: sessionColumns,
      selectableFields: ['.spec.user', '.status.phase'],
      validations: [sessionName],
    },
    {
      resource: SESSION_TEMPLATES,
      singular: 'sessiontemplate',
      shortNames: ['st'],
      summary: 'SessionTemplate is what the sessions that name it run.',
      spec: sessionTemplateSpec,
      status: sessionTemplateStatus,
      columns: templateColumns,
      selectableFields: [],
    },
  ];
}

// Mirrored requests carry the name of their backend as a label value and as the first part of their own name.
const shortName: ValidationRule = {
  rule: 'size(self.metadata.name) <= 63',
  message: 'metadata.name must have at most 63 characters: it becomes the value of a label',
};

// The Service and the pods of a session carry its name; the claim of its home is five characters longer.
const sessionName: ValidationRule = {
  rule: "self.metadata.name.matches('^[a-z]([-a-z0-9]{0,56}[a-z0-9])?$')",
  message:
    'metadata.name must be at most 58 lower-case letters, digits and dashes and begin with a letter: the Service of the session has this name',
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

const sessionColumns: readonly Column[] = [
  { name: 'State', type: 'string', description: 'What it is.', jsonPath: '.status.phase' },
  { name: 'Desired', type: 'string', description: 'What it should be.', jsonPath: '.status.desired' },
  { name: 'Ready', type: 'string', description: 'Whether it is what it should be.', jsonPath: of('Ready', 'status') },
  { name: 'Reason', type: 'string', description: 'The cause of its state.', jsonPath: of('Ready', 'reason') },
  { name: 'User', type: 'string', description: 'Whose it is.', jsonPath: '.spec.user' },
  { name: 'Template', type: 'string', description: 'What it runs.', jsonPath: '.status.template' },
  age,
  { name: 'Pod', type: 'string', description: 'Its pod.', jsonPath: '.status.podName', wide: true },
  { name: 'URL', type: 'string', description: 'Where it is reached inside the cluster.', jsonPath: '.status.url', wide: true },
  { name: 'Last-Activity', type: 'date', description: 'Time since it was last used.', jsonPath: '.status.lastActivityTime', wide: true },
  { name: 'Message', type: 'string', description: 'The cause in words.', jsonPath: of('Ready', 'message'), wide: true },
];

const templateColumns: readonly Column[] = [
  { name: 'Image', type: 'string', description: 'The image of its sessions.', jsonPath: '.spec.image' },
  age,
];

function of(condition: string, member: string): string {
  return `.status.conditions[?(@.type=="${condition}")].${member}`;
}
