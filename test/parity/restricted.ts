import type { PolicyRule } from '../../operator/actions/action.ts';
import { drain } from '../../operator/actions/drain/drain.ts';
import { evict } from '../../operator/actions/evict.ts';
import { connectLive, type Live } from '../actions/live.ts';
import { type ApiProxy, startApiProxy } from '../cluster/api-proxy.ts';
import { controlPlane } from '../cluster/shared.ts';
import { type Ground, through } from './ground.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
/** What a drain needs, and what the watches of its view need. */
const RULES: readonly PolicyRule[] = [
  ...drain.rbac,
  ...evict.rbac,
  { apiGroups: [''], resources: ['nodes', 'pods'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: ['list', 'watch'] },
];

/** Somebody who has the rights of a drain and no more; disposing of it ends the connection and takes the rights back. */
export interface Somebody extends AsyncDisposable {
  readonly kubeconfig: string;
  /** The ground as drained by them. */
  readonly ground: Ground;
  readonly live: Live;
}

/** Makes a user, the default ServiceAccount of the namespace, with the rights of a drain but for these, each as `<verb> <resource>`. */
export async function restrict(ground: Ground, ...without: readonly string[]): Promise<Somebody> {
  const { kubeconfig, takeBack } = await grant(ground, without);
  const live = await connectLive(kubeconfig);
  const end = async () => {
    await live[Symbol.asyncDispose]();
    await takeBack();
  };
  return { kubeconfig, live, ground: through(live, ground), [Symbol.asyncDispose]: end };
}

/** A user with the rights of a drain whose every request passes a proxy that can answer in place of the API server. */
export async function behindProxy(ground: Ground): Promise<Somebody & { readonly proxy: ApiProxy }> {
  const { kubeconfig, takeBack } = await grant(ground, []);
  const proxy = await startApiProxy(controlPlane);
  const live = await connectLive(await proxy.kubeconfig(kubeconfig));
  const end = async () => {
    await live[Symbol.asyncDispose]();
    await proxy.close();
    await takeBack();
  };
  return { kubeconfig, live, proxy, ground: through(live, ground), [Symbol.asyncDispose]: end };
}

async function grant(ground: Ground, without: readonly string[]) {
  const { api } = controlPlane;
  const { namespace } = ground.t;
  const name = `${namespace}-drains`;
  const each = RULES.flatMap(({ resources, ...rule }) => resources.map((resource) => ({ ...rule, resource })));
  const rules = each.flatMap(({ apiGroups, resource, verbs }) => {
    const left = verbs.filter((verb) => !without.includes(`${verb} ${resource}`));
    return left.length > 0 ? [{ apiGroups, resources: [resource], verbs: left }] : [];
  });
  await api.create(`${RBAC}/clusterroles`, { metadata: { name }, rules });
  const subjects = [{ kind: 'ServiceAccount', namespace, name: 'default' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
  await api.create(`${RBAC}/clusterrolebindings`, { metadata: { name }, subjects, roleRef });
  const takeBack = async () => {
    await Promise.all([api.remove(`${RBAC}/clusterrolebindings/${name}`), api.remove(`${RBAC}/clusterroles/${name}`)]);
  };
  return { kubeconfig: await controlPlane.serviceAccountKubeconfig(namespace, 'default'), takeBack };
}
