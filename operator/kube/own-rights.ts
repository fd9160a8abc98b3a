import type { JsonObject } from '../lib/json.ts';
import type { KubeClient } from './client.ts';
import type { Resource } from './object.ts';
import type { PolicyRule } from './rights.ts';

const REVIEWS: Resource = {
  group: 'authorization.k8s.io',
  version: 'v1',
  plural: 'selfsubjectrulesreviews',
  kind: 'SelfSubjectRulesReview',
  namespaced: false,
};

/** What the API server says of the caller's rights in a namespace; `incomplete` where an authorizer other than RBAC may grant more. */
interface Held {
  readonly incomplete?: boolean;
  readonly resourceRules?: readonly {
    readonly verbs: readonly string[];
    readonly apiGroups?: readonly string[];
    readonly resources?: readonly string[];
    readonly resourceNames?: readonly string[];
  }[];
}

/** The rights of these rules that the operator does not have in the namespace, such as `create deployments.apps`; one request. */
export async function missingRights(
  client: KubeClient,
  namespace: string,
  rules: readonly PolicyRule[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const body: JsonObject = { apiVersion: 'authorization.k8s.io/v1', kind: REVIEWS.kind, spec: { namespace } };
  const { status } = (await client.create(REVIEWS, undefined, body, signal)) as { readonly status?: Held };
  if (!status || status.incomplete) return [];
  const held = status.resourceRules ?? [];
  const missing = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) =>
        verbs
          .filter((verb) => !held.some((rule) => grants(rule, group, resource, verb)))
          .map((verb) => `${verb} ${resource}${group === '' ? '' : `.${group}`}`),
      ),
    ),
  );
  return [...new Set(missing)];
}

function grants(rule: NonNullable<Held['resourceRules']>[number], group: string, resource: string, verb: string): boolean {
  const { apiGroups = [], resources = [], verbs, resourceNames = [] } = rule;
  const has = (list: readonly string[], wanted: string) => list.includes('*') || list.includes(wanted);
  const subresource = resource.includes('/') && resources.includes(`*/${resource.split('/')[1]}`);
  return has(verbs, verb) && has(apiGroups, group) && (has(resources, resource) || subresource) && resourceNames.length === 0;
}
