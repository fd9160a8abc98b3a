import { readFileSync } from 'node:fs';
import { KubeConfig } from '@kubernetes/client-node';
import { onTestFinished } from 'vitest';
import { KubeClient } from '../../operator/kube/client.ts';
import { Credentials } from '../../operator/kube/credentials.ts';
import type { ControlPlaneAccess } from '../cluster/access.ts';

/** A client with the rights of an administrator, closed after the test; `server` is an address to call in place of the control plane's. */
export function clientOf(cp: Pick<ControlPlaneAccess, 'kubeconfig' | 'url'>, server = cp.url, timeout?: number): KubeClient {
  return clientOfConfig(readFileSync(cp.kubeconfig, 'utf8').replaceAll(cp.url, server), timeout);
}

/** A client by the text of a kubeconfig, closed after the test. */
export function clientOfConfig(text: string, timeout?: number): KubeClient {
  const config = new KubeConfig();
  config.loadFromString(text);
  const client = new KubeClient(new Credentials(config), timeout);
  onTestFinished(() => client.close());
  return client;
}
