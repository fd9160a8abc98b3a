import type { ActionDefinition } from '../actions/action.ts';
import { API_VERSION } from '../api/group.ts';
import { OPTIMIZATION_ACTIONS } from '../api/optimization-action.ts';
import { OPTIMIZATION_BACKENDS } from '../api/optimization-backend.ts';
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

/** The files of `config/samples/`: one request per action, and a backend. */
export function sampleFiles(actions: readonly ActionDefinition[]): readonly (readonly [string, string])[] {
  return [
    ...actions.map((action) => [`${kebab(action.name)}.yaml`, yamlFile(sampleAction(action), action.summary)] as const),
    [
      'optimization-backend.yaml',
      yamlFile(sampleBackend, 'Its key: kubectl create secret generic backend-sample -n cloudoptim --from-literal=api-key=…'),
    ],
  ];
}
