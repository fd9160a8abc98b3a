import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { controlPlane } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import type { Ground } from './ground.ts';

const { api } = controlPlane;
const ADMISSION = '/apis/admissionregistration.k8s.io/v1';
const FLOW = '/apis/flowcontrol.apiserver.k8s.io/v1';
const EVICTIONS = { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods/eviction'] };

/** Something in the way of evictions; ends with what it is used in at the latest. */
export interface Obstacle extends AsyncDisposable {
  remove(): Promise<void>;
}

/** Asks the API server whether it would evict the pod, without doing it; status and message of its answer. */
export async function tryEviction({ t: { namespace } }: Ground, name: string): Promise<{ status: number; message: string }> {
  const path = `/api/v1/namespaces/${namespace}/pods/${name}/eviction?dryRun=All`;
  const { status, body } = await api.call<{ message?: string }>('POST', path, {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
  });
  return { status, message: body.message ?? '' };
}

/** An admission policy that refuses the eviction of this pod; in force when it resolves. */
export async function denyEviction(ground: Ground, name: string): Promise<Obstacle> {
  const policy = `${ground.t.namespace}-${name}`;
  await api.create(`${ADMISSION}/validatingadmissionpolicies`, {
    metadata: { name: policy },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: { resourceRules: [EVICTIONS] },
      validations: [{ expression: `request.name != '${name}'`, message: `${name} stays` }],
    },
  });
  await api.create(`${ADMISSION}/validatingadmissionpolicybindings`, {
    metadata: { name: policy },
    spec: { policyName: policy, validationActions: ['Deny'], matchResources: { namespaceSelector: inNamespaceOf(ground) } },
  });
  const isInForce = async () => (await tryEviction(ground, name)).message.includes(`${name} stays`);
  await waitFor(isInForce, { what: `the policy ${policy} is in force` });
  return obstacle(async () => {
    await api.remove(`${ADMISSION}/validatingadmissionpolicybindings/${policy}`);
    await api.remove(`${ADMISSION}/validatingadmissionpolicies/${policy}`);
  });
}

/** A webhook that must be asked before this pod is evicted, and that nobody answers: refused at once, or silent for as long as it is there. */
export async function breakWebhook(
  ground: Ground,
  name: string,
  how: 'refuses' | 'hangs',
): Promise<Obstacle & { readonly asked: Promise<unknown> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => void sockets.add(socket.on('error', () => {})));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (how === 'refuses') server.close();
  const webhook = `${ground.t.namespace}-${name}`;
  await api.create(`${ADMISSION}/validatingwebhookconfigurations`, {
    metadata: { name: webhook },
    webhooks: [
      {
        name: 'gate.cloudoptim.test',
        clientConfig: { url: `https://127.0.0.1:${port}/` },
        rules: [EVICTIONS],
        namespaceSelector: inNamespaceOf(ground),
        matchConditions: [{ name: 'this', expression: `request.name == '${name}'` }],
        failurePolicy: how === 'hangs' ? 'Ignore' : 'Fail',
        timeoutSeconds: 30,
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
  const asked = once(server, 'connection');
  if (how === 'refuses') {
    const isInForce = async () => (await tryEviction(ground, name)).status === 500;
    await waitFor(isInForce, { what: `the webhook ${webhook} is in force` });
  }
  return {
    asked,
    ...obstacle(async () => {
      await api.remove(`${ADMISSION}/validatingwebhookconfigurations/${webhook}`);
      server.close();
      for (const socket of sockets) socket.destroy();
    }),
  };
}

/** A priority level with one seat for all evictions by the namespace's ServiceAccount; in force when it resolves. */
export async function oneSeat({ t: { namespace } }: Ground): Promise<Obstacle> {
  const limited = { nominalConcurrencyShares: 0, lendablePercent: 0, borrowingLimitPercent: 0, limitResponse: { type: 'Reject' } };
  await api.create(`${FLOW}/prioritylevelconfigurations`, { metadata: { name: namespace }, spec: { type: 'Limited', limited } });
  const subjects = [{ kind: 'ServiceAccount', serviceAccount: { namespace, name: 'default' } }];
  const resourceRules = [{ verbs: ['create'], apiGroups: [''], resources: ['pods/eviction'], namespaces: [namespace] }];
  await api.create(`${FLOW}/flowschemas`, {
    metadata: { name: namespace },
    spec: { priorityLevelConfiguration: { name: namespace }, matchingPrecedence: 100, rules: [{ subjects, resourceRules }] },
  });
  interface FlowSchema {
    status?: { conditions?: { type: string; status: string }[] };
  }
  const isInForce = async () => {
    const { status } = await api.get<FlowSchema>(`${FLOW}/flowschemas/${namespace}`);
    return status?.conditions?.some((condition) => condition.type === 'Dangling' && condition.status === 'False');
  };
  await waitFor(isInForce, { what: `the flow schema ${namespace} is in force` });
  return obstacle(async () => {
    await api.remove(`${FLOW}/flowschemas/${namespace}`);
    await api.remove(`${FLOW}/prioritylevelconfigurations/${namespace}`);
  });
}

/** Makes a budget of the namespace; its controller may not be able to count it. */
export async function createBudget({ t: { namespace } }: Ground, name: string, spec: object): Promise<{ path: string }> {
  const path = `/apis/policy/v1/namespaces/${namespace}/poddisruptionbudgets`;
  await api.create(path, { metadata: { name }, spec });
  return { path: `${path}/${name}` };
}

function inNamespaceOf({ t: { namespace } }: Ground) {
  return { matchLabels: { 'kubernetes.io/metadata.name': namespace } };
}

function obstacle(remove: () => Promise<void>): Obstacle {
  let removed: Promise<void> | undefined;
  const once = () => {
    removed ??= remove();
    return removed;
  };
  return { remove: once, [Symbol.asyncDispose]: once };
}
