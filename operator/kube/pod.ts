/** An emptyDir volume, named in refusals because its contents are lost when the pod goes. */
export interface EmptyDir {
  readonly name: string;
  readonly medium: string;
  readonly sizeLimit?: string;
}

/** A container that the kernel killed for its memory; `id` is unique per kill. */
export interface OomKill {
  readonly container: string;
  readonly restartCount: number;
  readonly finishedAt: string;
}

/** The reference to the controller of a pod: the owner with `controller: true`. */
export interface Controller {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

/** What a pod asks for, as the scheduler counts it: CPU in millicores, memory in bytes. */
export interface Requests {
  readonly cpuMillicores: number;
  readonly memoryBytes: number;
}

/** What this operator keeps of a pod: a projection, so that 100,000 pods fit in memory. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Empty until the pod is bound. */
  readonly nodeName: string;
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly ready: boolean;
  /** RFC 3339; request time plus grace, as the API server sets it. */
  readonly deletionTimestamp?: string;
  readonly controller?: Controller;
  /** A static pod: annotation `kubernetes.io/config.mirror` or an owner of kind Node (FIELD.md K13). */
  readonly mirror: boolean;
  readonly emptyDirs: readonly EmptyDir[];
  readonly requests: Requests;
  readonly oomKills: readonly OomKill[];
}
