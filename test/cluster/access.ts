import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Api, createApi } from './api.ts';
import { type AuditEvent, auditReader } from './audit-log.ts';
import type { Binaries } from './binaries.ts';
import { kubeconfig } from './kubeconfig.ts';
import { type KubectlOptions, type KubectlResult, kubectlRunner } from './kubectl.ts';

/** Where a running control plane is, as plain JSON, so that it can be handed from process to process. All paths are absolute. */
export interface ControlPlaneDescription {
  /** Address of the API server, such as `https://127.0.0.1:21000`; it may be called by the name localhost too. */
  url: string;
  port: number;
  /** The temporary folder of this control plane; it is removed with it, so tests may leave files there. */
  dir: string;
  /** A kubeconfig of a cluster administrator. */
  kubeconfig: string;
  caFile: string;
  binaries: Binaries;
  /** The audit log, when there is one. */
  auditLog?: string;
}

/** What one can do with a running control plane, whoever started it. */
export interface ControlPlaneAccess extends ControlPlaneDescription {
  /** A raw client with the rights of a cluster administrator. */
  api: Api;
  /** Runs kubectl as cluster administrator, unless another kubeconfig is given; never throws because of its exit code. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>;
  /** All complete lines of the audit log, oldest first; throws when the control plane was started without `audit`. */
  auditEvents(): Promise<AuditEvent[]>;
  /**
   * The path of a kubeconfig with a bound token (one hour) of an existing service account; `server` replaces the address in it, such as by that
   * of a fault proxy. Throws when the token is not given.
   */
  serviceAccountKubeconfig(namespace: string, name: string, options?: { server?: string }): Promise<string>;
}

let written = 0;

/** Makes the description of a running control plane usable. */
export function attach(description: ControlPlaneDescription): ControlPlaneAccess {
  const { url, dir, binaries, auditLog } = description;
  const read = (file: string) => readFileSync(join(dir, file), 'utf8');
  const ca = readFileSync(description.caFile, 'utf8');
  const kubectl = kubectlRunner(binaries.kubectl, dir, description.kubeconfig);
  const audit = auditLog ? auditReader(auditLog) : undefined;
  return {
    ...description,
    api: createApi(url, { ca, cert: read('admin.crt'), key: read('admin.key') }),
    kubectl,
    auditEvents: async () => {
      if (!audit) throw new Error('this control plane was started without `audit: true`');
      return audit();
    },
    serviceAccountKubeconfig: async (namespace, name, { server = url } = {}) => {
      const { code, stdout, stderr } = await kubectl(['create', 'token', name, '--namespace', namespace, '--duration', '1h']);
      if (code !== 0) throw new Error(`no token for the service account ${namespace}/${name}: ${stderr.trim()}`);
      written += 1;
      const file = join(dir, `${namespace}-${name}-${process.pid}-${written}.kubeconfig`);
      await writeFile(file, kubeconfig(server, ca, name, { token: stdout.trim() }, namespace), { mode: 0o600 });
      return file;
    },
  };
}
