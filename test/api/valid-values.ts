import type { JsonValue } from '../../operator/lib/json.ts';

/** A value that is accepted, for every field that has neither an example nor a default. */
export const VALID: Readonly<Record<string, JsonValue>> = {
  'spec.deadline': '2030-01-01T00:00:00Z',
  'spec.targetUID': '7f0c2a9e-4d0b-4f6e-9d3f-1c2b3a4d5e6f',
  'spec.source': { backend: 'prod', taskID: 't-1' },
  'spec.source.backend': 'prod',
  'spec.source.taskID': 't-1',
  'spec.source.requestedBy': 'cost-engine',
  'spec.webSocketURL': 'wss://central.example.com',
  'spec.agentID': 'cluster-1-agent',
  'spec.credentialsSecretRef': { name: 'backend-prod' },
  'spec.credentialsSecretRef.name': 'backend-prod',
  'spec.actions': ['Cordon'],
  'spec.tls': {},
  'spec.tls.caBundleSecretRef': { name: 'authorities' },
  'spec.tls.caBundleSecretRef.name': 'authorities',
};
