import { connectLive, type Live } from '../actions/live.ts';
import { type ApiProxy, startApiProxy } from '../cluster/api-proxy.ts';
import { controlPlane } from '../cluster/shared.ts';
import { type Ground, through } from './ground.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
const RULES = [
  { apiGroups: [''], resources: ['nodes'], verbs: ['get', 'list', 'watch', 'patch'] },
  { apiGroups: [''], resources: ['pods'], verbs: ['get', 'list', 'watch'] },
  { apiGroups: [''], resources: ['pods/eviction'], verbs: ['create'] },
  { apiGroups: ['apps'], resources: ['daemonsets'], verbs: ['get'] },
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
  const left = (resource: string, verbs: readonly string[]) => verbs.filter((verb) => !without.includes(`${verb} ${resource}`));
  const rules = RULES.map((rule) => ({ ...rule, verbs: left(rule.resources[0] ?? '', rule.verbs) })).filter(
    ({ verbs }) => verbs.length > 0,
  );
  await api.create(`${RBAC}/clusterroles`, { metadata: { name }, rules });
  const subjects = [{ kind: 'ServiceAccount', namespace, name: 'default' }];
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name };
  await api.create(`${RBAC}/clusterrolebindings`, { metadata: { name }, subjects, roleRef });
  const takeBack = async () => {
    await Promise.all([api.remove(`${RBAC}/clusterrolebindings/${name}`), api.remove(`${RBAC}/clusterroles/${name}`)]);
  };
  return { kubeconfig: await controlPlane.serviceAccountKubeconfig(namespace, 'default'), takeBack };
}
