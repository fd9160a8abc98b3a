import { readBytes, readMillicores } from './quantity.ts';

/** What this operator keeps of a node. */
export interface Node {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Only annotations of the group `cloudoptim.io` are kept. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly unschedulable: boolean;
  /** The field manager that made it unschedulable, as the API server recorded it; empty where it did not. */
  readonly cordonManager: string;
  readonly ready: boolean;
  /** Empty where no cloud set it. */
  readonly providerID: string;
  /** There, and true, while its status names attached volumes. */
  readonly volumesAttached?: true;
  readonly allocatable: { readonly cpuMillicores: number; readonly memoryBytes: number };
}

interface ManagedFields {
  readonly manager?: string;
  readonly fieldsV1?: { readonly 'f:spec'?: { readonly 'f:unschedulable'?: unknown } };
}

interface RawNode {
  readonly metadata?: {
    readonly name?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>> | null;
    readonly annotations?: Readonly<Record<string, string>> | null;
    readonly managedFields?: readonly ManagedFields[] | null;
  };
  readonly spec?: { readonly unschedulable?: boolean; readonly providerID?: string };
  readonly status?: {
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
    readonly volumesAttached?: readonly unknown[] | null;
    readonly allocatable?: { readonly cpu?: unknown; readonly memory?: unknown };
  };
}

/** Keeps of a core/v1 Node, as the API server's JSON, what this operator reads (FIELD.md P16, A61); any member may be missing. */
export function projectNode(raw: unknown): Node {
  const { metadata = {}, spec = {}, status = {} } = (raw ?? {}) as RawNode;
  return {
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    labels: metadata.labels ?? {},
    annotations: ownAnnotations(metadata.annotations ?? {}),
    unschedulable: spec.unschedulable ?? false,
    cordonManager: spec.unschedulable ? cordonManager(metadata.managedFields ?? []) : '',
    ready: status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false,
    providerID: spec.providerID ?? '',
    ...(status.volumesAttached?.length ? { volumesAttached: true as const } : {}),
    allocatable: { cpuMillicores: readMillicores(status.allocatable?.cpu), memoryBytes: readBytes(status.allocatable?.memory) },
  };
}

const OWN = /^(?:[^/]+\.)?cloudoptim\.io\//;

function ownAnnotations(annotations: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => OWN.test(key)));
}

function cordonManager(entries: readonly ManagedFields[]): string {
  return entries.find(({ fieldsV1 }) => fieldsV1?.['f:spec']?.['f:unschedulable'] !== undefined)?.manager ?? '';
}
