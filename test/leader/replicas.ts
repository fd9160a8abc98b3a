import { onTestFinished } from 'vitest';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { type OperatorProcess, startOperator } from '../scenarios/operator-process.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';

/** One of several operators of a namespace, in a pod of its own as it believes. */
export interface Replica extends OperatorProcess {
  readonly pod: string;
  /** How the API server knows it: by an account of its own, so that the audit log tells the replicas apart. */
  readonly user: string;
  leads(): Promise<boolean>;
  /** Resolves when `/readyz` has said this of the part `leader`. */
  said(what: string, within?: number): Promise<void>;
}

/** Starts a replica that ends with the test. The namespace has the roles of a scene. */
export async function startReplica(
  cp: ControlPlaneAccess,
  namespace: string,
  pod: string,
  env: Readonly<Record<string, string>>,
): Promise<Replica> {
  await grant(cp, namespace, pod);
  const kubeconfig = await cp.serviceAccountKubeconfig(namespace, pod);
  const operator = await startOperator({ kubeconfig, namespace, env: { ...env, POD_NAME: pod, POD_UID: `uid-of-${pod}` } });
  onTestFinished(() => operator[Symbol.asyncDispose]());
  const leader = async () => /\[[+-]\] leader: (.*)/.exec((await operator.fetch('/readyz')).body)?.[1] ?? '';
  return {
    ...operator,
    pod,
    user: `system:serviceaccount:${namespace}:${pod}`,
    leads: async () => (await leader()) === 'this process leads',
    said: async (what, within = 30_000) => {
      let last = '';
      const says = async () => {
        last = await leader();
        return last.includes(what);
      };
      await waitFor(says, { within, what: `${pod} says of the leader: ${what}` }).catch((error: unknown) => {
        throw new Error(`${String(error)}; it said: ${last}\n${operator.output()}`);
      });
    },
  };
}

/** Gives an account of its own the rights that the roles of the scene grant. */
async function grant(cp: ControlPlaneAccess, namespace: string, account: string): Promise<void> {
  const subjects = [{ kind: 'ServiceAccount', name: account, namespace }];
  const bind = (kind: string, name: string) => ({
    metadata: { name: `${account}-${namespace}` },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name },
    subjects,
  });
  await cp.api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: account } });
  await cp.api.create(`${RBAC}/namespaces/${namespace}/rolebindings`, bind('Role', 'cloudoptim-operator'));
  await cp.api.create(`${RBAC}/clusterrolebindings`, bind('ClusterRole', `cloudoptim-operator-${namespace}`));
  onTestFinished(() => cp.api.remove(`${RBAC}/clusterrolebindings/${account}-${namespace}`));
}
