import type { ActionDefinition } from '../actions/action.ts';
import { API_VERSION } from '../api/group.ts';
import { OPTIMIZATION_ACTIONS } from '../api/optimization-action.ts';
import { OPTIMIZATION_BACKENDS } from '../api/optimization-backend.ts';
import { SESSIONS } from '../api/session.ts';
import { SESSION_TEMPLATES } from '../api/session-template.ts';
import { CONTROL_PLANE_SECRET } from '../kube/rights.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';
import { kebab } from './words.ts';
import { yamlFile } from './yaml-file.ts';

const NAMESPACE = 'cloudoptim';

/** A request for this action with its example parameters. */
export function sampleAction(action: ActionDefinition): JsonObject {
  return {
    apiVersion: API_VERSION,
    kind: OPTIMIZATION_ACTIONS.kind,
    metadata: { name: `sample-${kebab(action.name)}`, namespace: NAMESPACE },
    // An example is parameters as JSON carries them, only typed as the input of its own schema.
    spec: { action: action.name, [action.member]: action.example as JsonValue },
  };
}

const sampleBackend: JsonObject = {
  apiVersion: API_VERSION,
  kind: OPTIMIZATION_BACKENDS.kind,
  metadata: { name: 'sample', namespace: NAMESPACE },
  spec: {
    protocol: 'CloudOptim',
    url: 'https://central.example.com',
    clusterID: 'cluster-123',
    credentialsSecretRef: { name: 'backend-sample' },
  },
};

const sampleControlPlane: JsonObject = {
  apiVersion: API_VERSION,
  kind: OPTIMIZATION_BACKENDS.kind,
  metadata: { name: 'streamspace', namespace: NAMESPACE },
  spec: {
    protocol: 'StreamSpace',
    url: 'wss://control.example.com',
    agentID: 'k8s-prod-us-east-1',
    region: 'us-east-1',
    credentialsSecretRef: { name: CONTROL_PLANE_SECRET },
    vnc: { enabled: false },
  },
};

/** What the example of seed 002 runs, as a template. */
const sampleTemplate: JsonObject = {
  apiVersion: API_VERSION,
  kind: SESSION_TEMPLATES.kind,
  metadata: { name: 'firefox', namespace: NAMESPACE },
  spec: {
    image: 'lscr.io/linuxserver/firefox:latest',
    ports: [{ name: 'vnc', containerPort: 3000 }],
    vnc: { port: 3000 },
    resources: { cpu: '1', memory: '2Gi' },
    home: { size: '10Gi', retain: 'Always' },
  },
};

/** The example of seed 002 as a Session. */
const sampleSession: JsonObject = {
  apiVersion: API_VERSION,
  kind: SESSIONS.kind,
  metadata: { name: 'alice-firefox', namespace: NAMESPACE },
  spec: {
    state: 'Running',
    user: 'alice',
    templateRef: { name: 'firefox' },
    resources: { cpu: '1', memory: '2Gi' },
    home: { enabled: true },
    idleTimeout: '30m',
    maxDuration: '8h',
  },
};

/** The files of `config/samples/`: one request per action, backends, and a session with its template. */
export function sampleFiles(actions: readonly ActionDefinition[]): readonly (readonly [string, string])[] {
  return [
    ...actions.map((action) => [`${kebab(action.name)}.yaml`, yamlFile(sampleAction(action), action.summary)] as const),
    [
      'optimization-backend.yaml',
      yamlFile(sampleBackend, 'Its key: kubectl create secret generic backend-sample -n cloudoptim --from-literal=api-key=…'),
    ],
    [
      'optimization-backend-streamspace.yaml',
      yamlFile(
        sampleControlPlane,
        `Its key: kubectl create secret generic ${CONTROL_PLANE_SECRET} -n ${NAMESPACE} --from-literal=api-key=$(openssl rand -hex 32)\nAGENT_ID and CONTROL_PLANE_URL in the environment of the operator make the same.`,
      ),
    ],
    ['session-template.yaml', yamlFile(sampleTemplate, 'What sessions run that name it; in the namespace of the sessions.')],
    ['session.yaml', yamlFile(sampleSession, 'kubectl get sessions.cloudoptim.io -w shows it start; the namespace is that of NAMESPACE.')],
  ];
}
