import type { ActionDefinition, PolicyRule } from '../actions/action.ts';
import type { LoopRights, RightsScope } from '../kube/rights.ts';

/** One merged rule and who asked for it. */
export interface MergedRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
  readonly resourceNames?: readonly string[];
  /** Who asked for it, one line each: the actions together, then every loop. */
  readonly askedBy: readonly string[];
}

interface Claim {
  readonly who: string;
  readonly isAction: boolean;
  readonly rules: readonly PolicyRule[];
}

interface Subject {
  readonly group: string;
  readonly resource: string;
  readonly names: readonly string[];
}

interface Right extends Subject {
  readonly verbs: Set<string>;
  readonly actions: Set<string>;
  readonly loops: Set<string>;
}

/** The rights in one place. */
export function rulesIn(scope: RightsScope, actions: readonly ActionDefinition[], loops: readonly LoopRights[]): readonly MergedRule[] {
  return merge(claimsOf(actions, loops, scope));
}

function claimsOf(actions: readonly ActionDefinition[], loops: readonly LoopRights[], scope: LoopRights['scope']): readonly Claim[] {
  const ofActions = actions
    .filter(({ rbacScope = 'cluster' }) => rbacScope === scope)
    .map((each) => ({ who: each.name, isAction: true, rules: each.rbac }));
  const ofLoops = loops.filter((each) => each.scope === scope).map((each) => ({ who: each.loop, isAction: false, rules: each.rules }));
  return [...ofActions, ...ofLoops];
}

/** One rule per resource with all verbs anybody needs on it, sorted: who reads the role sees each resource once. */
function merge(claims: readonly Claim[]): readonly MergedRule[] {
  const rights = new Map<string, Right>();
  for (const claim of claims) {
    for (const rule of claim.rules) for (const subject of spread(rule)) add(rights, subject, rule.verbs, claim);
  }
  return [...rights.values()]
    .toSorted((a, b) => compare(key(a), key(b)))
    .map((right) => ({
      apiGroups: [right.group],
      resources: [right.resource],
      verbs: [...right.verbs].toSorted(byCustom),
      ...(right.names.length === 0 ? {} : { resourceNames: right.names }),
      askedBy: lines(right),
    }));
}

function spread(rule: PolicyRule): readonly Subject[] {
  const names = rule.resourceNames ?? [];
  return rule.apiGroups.flatMap((group) => rule.resources.map((resource) => ({ group, resource, names })));
}

function add(rights: Map<string, Right>, subject: Subject, verbs: readonly string[], claim: Claim): void {
  const known = rights.get(key(subject)) ?? { ...subject, verbs: new Set<string>(), actions: new Set<string>(), loops: new Set<string>() };
  for (const verb of verbs) known.verbs.add(verb);
  (claim.isAction ? known.actions : known.loops).add(claim.who);
  rights.set(key(subject), known);
}

function lines(right: Right): readonly string[] {
  const actions = [...right.actions].toSorted(compare).join(', ');
  return [...(actions ? [`actions: ${actions}`] : []), ...[...right.loops].toSorted(compare)];
}

function key(right: Subject): string {
  return [right.group, right.resource, ...right.names].join('/');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

/** Verbs in the order in which Kubernetes documents them; others after them. */
function byCustom(a: string, b: string): number {
  const rank = (verb: string) => (VERBS.includes(verb) ? VERBS.indexOf(verb) : VERBS.length);
  return rank(a) - rank(b) || compare(a, b);
}
