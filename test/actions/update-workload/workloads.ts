import type { z } from 'zod';
import { updateWorkload } from '../../../operator/actions/update-workload/update-workload.ts';
import type { JsonObject } from '../../../operator/lib/json.ts';
import { controlPlane } from '../../cluster/shared.ts';
import type { Tenant } from '../../cluster/tenant.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import type { Live } from '../live.ts';

/** A workload, as far as tests ask for it. */
export interface Stored {
  metadata: { uid: string; resourceVersion: string; generation: number };
  spec: {
    replicas: number;
    template: { spec: { containers: { name: string; image: string; resources?: { requests?: object; limits?: object } }[] } };
  };
  status: { replicas?: number; updatedReplicas?: number; availableReplicas?: number; conditions?: { reason?: string }[] };
}

/** Parameters of UpdateWorkload but for what names the workload. */
export type Asked = Partial<z.input<typeof updateWorkload.params>>;

/** Deployments and StatefulSets of a tenant, and updates of them. */
export class Workloads {
  readonly #tenant: Tenant;
  readonly #live: Live;

  constructor(tenant: Tenant, live: Live) {
    this.#tenant = tenant;
    this.#live = live;
  }

  /** The path of a workload. */
  path(name: string, plural = 'deployments'): string {
    return `/apis/apps/v1/namespaces/${this.#tenant.namespace}/${plural}/${name}`;
  }

  get(name: string, plural?: string): Promise<Stored> {
    return controlPlane.api.get<Stored>(this.path(name, plural));
  }

  patch(name: string, change: object, plural?: string): Promise<Stored> {
    return controlPlane.api.patch<Stored>(this.path(name, plural), change);
  }

  /** Makes a Deployment and resolves when its own status says that it is rolled out. */
  async createDeployment(options: Parameters<Tenant['createDeployment']>[0]): Promise<void> {
    await this.#tenant.createDeployment(options);
    const isRolledOut = async () => {
      const { status } = await this.get(options.name);
      return status.conditions?.some(({ reason }) => reason === 'NewReplicaSetAvailable');
    };
    await waitFor(isRolledOut, { what: `the Deployment ${options.name} is rolled out`, within: 60_000 });
  }

  /** Makes a StatefulSet and resolves when all of its pods are available. */
  async createStatefulSet(name: string, spec: JsonObject): Promise<void> {
    const { namespace, nodeSelector } = this.#tenant;
    const labels = { app: name };
    const template = { metadata: { labels }, spec: { nodeSelector, containers: [{ name: 'main', image: 'example.invalid/none' }] } };
    const whole = { serviceName: name, selector: { matchLabels: labels }, template, ...spec };
    await controlPlane.api.create(`/apis/apps/v1/namespaces/${namespace}/statefulsets`, { metadata: { name }, spec: whole });
    const isThere = async () => {
      const { spec: made, status } = await this.get(name, 'statefulsets');
      return status.availableReplicas === made.replicas;
    };
    await waitFor(isThere, { what: `the StatefulSet ${name} is there`, within: 60_000 });
  }

  /** Runs the action to its end; `after` is called after every pass. */
  async update(
    name: string,
    asked: Asked,
    options: { kind?: 'Deployment' | 'StatefulSet' } & Omit<Parameters<Live['run']>[2], 'targetUID'> = {},
  ) {
    const { kind = 'Deployment', ...rest } = options;
    const { metadata } = await this.get(name, kind === 'Deployment' ? undefined : 'statefulsets');
    const params = { kind, namespace: this.#tenant.namespace, name, ...asked };
    return this.#live.run(updateWorkload, params, { targetUID: metadata.uid, ...rest });
  }

  /** What the action has written to this workload so far. */
  writes(name: string): string[] {
    return this.#live.writes.filter((line) => line.endsWith(` ${name}`) || line.endsWith(`/${name}`));
  }
}
