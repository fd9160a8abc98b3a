/** One node as sent upstream. CPU in millicores, memory in bytes. */
export interface NodeSnapshot {
  readonly name: string;
  /** Empty where no label names it. */
  readonly instanceType: string;
  /** The last path segment of `spec.providerID`; empty without one. */
  readonly instanceID: string;
  readonly zone: string;
  readonly capacityType: 'spot' | 'on-demand';
  readonly ready: boolean;
  readonly unschedulable: boolean;
  readonly allocatable: { readonly cpuMillicores: number; readonly memoryBytes: number };
  /** Requests of the unfinished pods bound to it, as the scheduler counts them. */
  readonly allocated: { readonly cpuMillicores: number; readonly memoryBytes: number };
  /** From metrics.k8s.io; absent without it. */
  readonly usage?: { readonly cpuMillicores: number; readonly memoryBytes: number };
  readonly podCount: number;
  /** USD; absent when the price table does not name its type. */
  readonly pricePerHour?: number;
}

/** The cluster as sent upstream. */
export interface ClusterSnapshot {
  readonly at: Date;
  readonly nodes: readonly NodeSnapshot[];
  readonly pods: { readonly total: number; readonly running: number; readonly pending: number; readonly failed: number };
  /** Requests of all scheduled, unfinished pods. */
  readonly allocated: { readonly cpuMillicores: number; readonly memoryBytes: number };
}

/** One thing that happened, sent once. */
export interface ClusterEvent {
  /** Unique per happening, so that it is never sent twice. */
  readonly key: string;
  readonly kind: 'FailedScheduling' | 'NodeNotReady' | 'Evicted' | 'OOMKilled';
  readonly severity: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly namespace: string; readonly name: string };
  /** The name of the Event object; made from the object's name where there is none (OOMKilled, NodeNotReady). */
  readonly name: string;
  readonly count: number;
  readonly at: Date;
}
