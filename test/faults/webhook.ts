import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import { createAuthority } from '../cluster/certificates.ts';
import { waitFor } from '../cluster/wait-for.ts';

/** What the webhook does with a request; `hang` never answers. */
type Mode = 'allow' | 'deny' | 'hang';

/** An admission webhook that the API server really asks about one tenant's nodes, evictions and status writes. */
export interface Webhook {
  /** From now on; `what` is a resource such as `nodes` or `pods/eviction`. */
  set(what: string, mode: Mode): void;
  /** How often it was asked about it since it was last set. */
  asked(what: string): number;
  close(): Promise<void>;
}

interface Review {
  readonly request: { readonly uid: string; readonly resource: { readonly resource: string }; readonly subResource?: string };
}

const PATH = '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations';

/** Starts one that allows everything and registers it with a time-out of 1 s and failure policy Fail; resolves when the API server heeds it. */
export async function startWebhook(
  cp: ControlPlaneAccess,
  tenant: { namespace: string; nodeSelector: Record<string, string> },
  node: string,
) {
  const authority = createAuthority('webhook-test-ca');
  const modes = new Map<string, Mode>();
  const asked = new Map<string, number>();
  const server = createServer(authority.server(['localhost'], ['127.0.0.1']), async (request, response) => {
    const { uid, resource, subResource } = ((await json(request)) as Review).request;
    const what = subResource ? `${resource.resource}/${subResource}` : resource.resource;
    asked.set(what, (asked.get(what) ?? 0) + 1);
    const mode = modes.get(what) ?? 'allow';
    if (mode === 'hang') return;
    const verdict = { uid, allowed: mode === 'allow', status: { code: 403, message: 'not on a Friday' } };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: verdict }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const set = (what: string, mode: Mode) => {
    modes.set(what, mode);
    asked.set(what, 0);
  };
  const config = `guard-${tenant.namespace}`;
  const hook = (name: string, rule: object, selector: object) => ({
    name,
    rules: [{ apiVersions: ['*'], ...rule }],
    ...selector,
    clientConfig: {
      url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      caBundle: Buffer.from(authority.cert).toString('base64'),
    },
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    timeoutSeconds: 1,
    failurePolicy: 'Fail',
  });
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': tenant.namespace } };
  await cp.api.create(PATH, {
    metadata: { name: config },
    webhooks: [
      hook(
        'nodes.guard.test',
        { apiGroups: [''], resources: ['nodes'], operations: ['UPDATE'] },
        { objectSelector: { matchLabels: tenant.nodeSelector } },
      ),
      hook('pods.guard.test', { apiGroups: [''], resources: ['pods/eviction'], operations: ['CREATE'] }, { namespaceSelector }),
      hook(
        'status.guard.test',
        { apiGroups: ['cloudoptim.io'], resources: ['optimizationactions/status'], operations: ['UPDATE'] },
        { namespaceSelector },
      ),
    ],
  });
  set('nodes', 'deny');
  const refused = async () =>
    (await cp.api.call('PATCH', `/api/v1/nodes/${node}?dryRun=All`, { metadata: { labels: { x: 'y' } } })).status >= 400;
  await waitFor(refused, { what: 'the API server asks the webhook' });
  set('nodes', 'allow');
  const webhook: Webhook = {
    set,
    asked: (what) => asked.get(what) ?? 0,
    close: async () => {
      await cp.api.remove(`${PATH}/${config}`);
      server.close();
      server.closeAllConnections();
    },
  };
  return webhook;
}
