import type { JsonObject, JsonValue } from '../../operator/lib/json.ts';
import { streamSpace } from './backend-rule-cases.ts';
import { START_VALUES } from './session-values.ts';

/** A value that is accepted, for every field that has neither an example nor a default. */
export const VALID: Readonly<Record<string, JsonValue>> = {
  'spec.drain.gracePeriodSeconds': 30,
  'spec.drain.podSelector': 'app=shop',
  'spec.drain.skipNamespaces': ['shop'],
  'spec.drain.skipNamespaces[]': 'shop',
  'spec.drain.rules': [{ podSelector: 'app=db', order: 1 }],
  'spec.drain.rules[]': { podSelector: 'app=db', order: 1 },
  'spec.drain.rules[].podSelector': 'app=db',
  'spec.drain.rules[].namespaces': ['shop'],
  'spec.drain.rules[].namespaces[]': 'shop',
  'spec.drain.escalation': { deleteAfterSeconds: 300 },
  'spec.drain.escalation.deleteUnreadyAfterSeconds': 60,
  'spec.drain.escalation.deleteAfterSeconds': 300,
  'spec.drain.escalation.forceAfterSeconds': 60,
  'spec.cordon.excludeFromLoadBalancers': true,
  'spec.uncordon.reason': 'maintenance is over',
  'spec.label.namespace': 'shop',
  'spec.label.set{}': 'spot',
  'spec.label.remove[]': 'example.com/old-pool',
  'spec.evict.uid': '7f0c2a9e-4d0b-4f6e-9d3f-1c2b3a4d5e6f',
  'spec.evict.gracePeriodSeconds': 30,
  'spec.deletePod.uid': '7f0c2a9e-4d0b-4f6e-9d3f-1c2b3a4d5e6f',
  'spec.deletePod.gracePeriodSeconds': 30,
  'spec.updateWorkload.containers[]': { name: 'main', image: 'example.com/shop/web:2' },
  'spec.updateWorkload.containers[].name': 'main',
  'spec.updateWorkload.containers[].image': 'example.com/shop/web:2',
  'spec.updateWorkload.containers[].requests': { cpu: '250m' },
  'spec.updateWorkload.containers[].requests{}': '250m',
  'spec.updateWorkload.containers[].limits': { cpu: '250m' },
  'spec.updateWorkload.containers[].limits{}': '250m',
  ...START_VALUES,
  'spec.deadline': '2030-01-01T00:00:00Z',
  'spec.targetUID': '7f0c2a9e-4d0b-4f6e-9d3f-1c2b3a4d5e6f',
  'spec.ttlSecondsAfterFinished': 3600,
  'spec.source': { backend: 'prod', taskID: 't-1' },
  'spec.source.backend': 'prod',
  'spec.source.taskID': 't-1',
  'spec.source.requestedBy': 'cost-engine',
  'spec.sessionStart.session.templateName': 'firefox',
  'spec.source.sessionID': 'ada-firefox-0c757c2e',
  'spec.region': 'eu',
  'spec.vnc': { enabled: true },
  'spec.intervals.heartbeat': '30s',
  'spec.webSocketURL': 'wss://central.example.com',
  'spec.agentID': 'cluster-1-agent',
  'spec.credentialsSecretRef': { name: 'backend-prod' },
  'spec.credentialsSecretRef.name': 'backend-prod',
  'spec.actions': ['Cordon'],
  'spec.tls': {},
  'spec.tls.caBundleSecretRef': { name: 'authorities' },
  'spec.tls.caBundleSecretRef.name': 'authorities',
  'spec.tls.clientCertificateSecretRef': { name: 'agent' },
  'spec.tls.clientCertificateSecretRef.name': 'agent',
};

const podLabels = { action: 'Label', label: { kind: 'Pod', namespace: 'shop', name: 'cart-0', set: { 'example.com/pool': 'spot' } } };

const longDrain = { action: 'Drain', drain: { nodeName: 'worker-3', timeoutSeconds: 604_800, escalation: { forceAfterSeconds: 1 } } };

/** The object in which a field is tried, where a rule over several fields keeps it out of the example. */
export const AROUND: Readonly<Record<string, JsonObject>> = {
  'spec.label.namespace': podLabels,
  'spec.protocol': { ...streamSpace, clusterID: 'cluster-1', url: 'https://central.example.com' },
  'spec.region': streamSpace,
  'spec.vnc': streamSpace,
  'spec.vnc.enabled': streamSpace,
  'spec.drain.escalation.deleteUnreadyAfterSeconds': longDrain,
  'spec.drain.escalation.deleteAfterSeconds': longDrain,
};

/** Enums of which another field allows only some values at a time; the cases of that rule try them all. */
export const COUPLED: readonly string[] = ['spec.action', 'spec.label.kind'];
