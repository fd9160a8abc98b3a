import type { PolicyRule, RightsScope } from '../../operator/kube/rights.ts';

/** Where a right holds or was used: in the operator's own namespace, or anywhere else, which only a ClusterRole can grant. */
export type Scope = 'cluster' | 'namespace';

/** Whether `config/default` installs the role of these rights. */
export function isInstalled(scope: RightsScope): boolean {
  return scope === 'cluster' || scope === 'namespace' || scope === 'sessions';
}

/** Where the rights of a role hold: the sessions of `config/default` are in the operator's own namespace. */
export function placeOf(scope: RightsScope): Scope {
  return scope === 'cluster' ? 'cluster' : 'namespace';
}

/** One verb on one resource: what a rule grants, or what a request needed. Subresources are written as roles have them, `pods/eviction`. */
export interface Right {
  readonly scope: Scope;
  readonly group: string;
  readonly resource: string;
  readonly verb: string;
}

/** Where what was used and what was declared differ, by name, sorted. */
export interface Difference {
  readonly undeclared: readonly string[];
  readonly unused: readonly string[];
}

/** Every single right that these rules grant. */
export function rightsIn(scope: Scope, rules: readonly PolicyRule[]): readonly Right[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => ({ scope, group, resource, verb })))),
  );
}

/** `patch deployments.apps (cluster)`, `patch optimizationactions/status.cloudoptim.io (namespace)`. */
export function nameOf({ scope, group, resource, verb }: Right): string {
  return `${verb} ${resource}${group === '' ? '' : `.${group}`} (${scope})`;
}

/**
 * Compares the rights that requests needed with those declared. A cluster right allows a request in the operator's namespace too, but such a
 * request is no reason to hold it: a cluster right that is only ever used there is unused.
 */
export function compareRights(used: readonly Right[], declared: readonly Right[]): Difference {
  const isUsed = new Set(used.map(nameOf));
  const isDeclared = new Set(declared.map(nameOf));
  const isAllowed = (right: Right) => isDeclared.has(nameOf(right)) || isDeclared.has(nameOf({ ...right, scope: 'cluster' }));
  return {
    undeclared: names(used.filter((right) => !isAllowed(right))),
    unused: names(declared.filter((right) => !isUsed.has(nameOf(right)))),
  };
}

function names(rights: readonly Right[]): readonly string[] {
  return [...new Set(rights.map(nameOf))].toSorted();
}
