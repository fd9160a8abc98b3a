/** What this operator keeps of a node. */
export interface Node {
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Only annotations of the group `cloudoptim.io` are kept. */
  readonly annotations: Readonly<Record<string, string>>;
  readonly unschedulable: boolean;
  readonly ready: boolean;
  /** Empty where no cloud set it. */
  readonly providerID: string;
  readonly allocatable: { readonly cpuMillicores: number; readonly memoryBytes: number };
}
