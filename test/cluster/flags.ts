import { join } from 'node:path';

const here = import.meta.dirname;

/** Where things are that the flags name: the temporary folder with its certificates, the ports of the API server and of kwok as kubelet. */
export interface Layout {
  dir: string;
  port: number;
  kubeletPort: number;
  audit: boolean;
  more: readonly string[];
}

/** The unix socket on which etcd serves the API server. */
function etcdSocket(dir: string): string {
  return `unix://${join(dir, 'etcd.sock')}`;
}

/** The audit log of the API server. */
export function auditLogFile(dir: string): string {
  return join(dir, 'audit.log');
}

/** Flags of etcd: data that need not survive a power failure, a unix socket for its only client, and a peer port that nobody calls. */
export function etcdFlags({ dir }: Layout): string[] {
  // An address has to be named, though the API server uses the socket and there are no other members.
  const nobody = 'http://127.0.0.1:0';
  return [
    `--data-dir=${join(dir, 'etcd')}`,
    '--unsafe-no-fsync',
    `--listen-client-urls=${etcdSocket(dir)}`,
    `--advertise-client-urls=${nobody}`,
    `--listen-peer-urls=${nobody}`,
    `--initial-advertise-peer-urls=${nobody}`,
    `--initial-cluster=default=${nobody}`,
    '--log-level=warn',
  ];
}

/** Flags of kube-apiserver: as in production as to rights, admission and defaults. */
export function apiServerFlags({ dir, port, audit, more }: Layout): string[] {
  return [
    `--etcd-servers=${etcdSocket(dir)}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${join(dir, 'server.crt')}`,
    `--tls-private-key-file=${join(dir, 'server.key')}`,
    `--client-ca-file=${join(dir, 'ca.crt')}`,
    `--service-account-key-file=${join(dir, 'tokens.pub')}`,
    `--service-account-signing-key-file=${join(dir, 'tokens.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    '--authorization-mode=RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    '--endpoint-reconciler-type=none',
    '--allow-privileged=true',
    // Namespaces can keep their pods to their nodes, as tests of sessions do: those say nothing of nodes themselves.
    '--enable-admission-plugins=PodNodeSelector',
    ...(audit ? auditFlags(dir) : []),
    ...more,
  ];
}

/** Tests read the log as one file: the API server would begin another after 100 MB, which many tests write together. */
function auditFlags(dir: string): readonly string[] {
  return [`--audit-policy-file=${join(here, 'audit-policy.yaml')}`, `--audit-log-path=${auditLogFile(dir)}`, '--audit-log-maxsize=10000'];
}

/** Flags of kube-controller-manager. */
export function controllerFlags({ dir }: Layout): string[] {
  return [
    `--kubeconfig=${join(dir, 'kube-controller-manager.kubeconfig')}`,
    `--root-ca-file=${join(dir, 'ca.crt')}`,
    `--service-account-private-key-file=${join(dir, 'tokens.key')}`,
    '--controllers=*,-nodeipam,-cloud-node-lifecycle',
    '--leader-elect=false',
    '--secure-port=0',
    // Ten times the defaults, so that making a hundred pods is not what a test waits for.
    '--kube-api-qps=200',
    '--kube-api-burst=300',
  ];
}

/** Flags of kube-scheduler. */
export function schedulerFlags({ dir }: Layout): string[] {
  return [
    `--kubeconfig=${join(dir, 'kube-scheduler.kubeconfig')}`,
    '--leader-elect=false',
    '--secure-port=0',
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
  ];
}

/** Flags of kwok: it plays the kubelet of exactly those nodes that carry its annotation, see nodes.ts, and forwards ports as forwards.ts says. */
export function kwokFlags({ dir, kubeletPort }: Layout): string[] {
  return [
    `--kubeconfig=${join(dir, 'kwok.kubeconfig')}`,
    `--config=${join(here, 'stages.yaml')}`,
    '--manage-all-nodes=false',
    '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
    '--node-lease-duration-seconds=40',
    '--node-ip=127.0.0.1',
    `--node-port=${kubeletPort}`,
    `--server-address=127.0.0.1:${kubeletPort}`,
    `--tls-cert-file=${join(dir, 'server.crt')}`,
    `--tls-private-key-file=${join(dir, 'server.key')}`,
    '--enable-crds=PortForward',
  ];
}
