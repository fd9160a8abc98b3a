import { type DisruptionMarks, disruptionMarks } from './disruption-marks.ts';
import { podRequests, type RawRequester } from './requests.ts';
import { type SessionPodFacts, sessionPodFacts } from './session-pod.ts';

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
interface Controller {
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

/** What the API server fills in for a pod that names no grace period, in seconds. */
export const DEFAULT_GRACE_SECONDS = 30;

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
  /** The grace in seconds that the deletion was asked for with; there while it is terminating. */
  readonly deletionGraceSeconds?: number;
  readonly controller?: Controller;
  /** A static pod: annotation `kubernetes.io/config.mirror` or an owner of kind Node (FIELD.md K13). */
  readonly mirror: boolean;
  readonly emptyDirs: readonly EmptyDir[];
  /** Names of the PersistentVolumeClaims it mounts; absent for none, as with most pods. */
  readonly claims?: readonly string[];
  /** How its owner asks that it is not disrupted; absent for pods without such a mark. */
  readonly disruption?: DisruptionMarks;
  /** `terminationGracePeriodSeconds`; absent for the API's default of 30, as with most pods. */
  readonly graceSeconds?: number;
  readonly requests: Requests;
  readonly oomKills: readonly OomKill[];
  /** When the eviction API took it, RFC 3339; absent for a pod that was not evicted (such an eviction leaves no Event). */
  readonly evictedAt?: string;
  /** Of the pods of sessions only. */
  readonly session?: SessionPodFacts;
}

interface RawTermination {
  readonly reason?: string;
  readonly exitCode?: number;
  readonly finishedAt?: string | null;
}

interface RawContainerState {
  readonly waiting?: { readonly reason?: string; readonly message?: string } | null;
  readonly running?: object | null;
  readonly terminated?: RawTermination | null;
}

interface RawContainerStatus {
  readonly name?: string;
  readonly imageID?: string;
  readonly restartCount?: number;
  readonly state?: RawContainerState | null;
  readonly lastState?: RawContainerState | null;
}

interface RawCondition {
  readonly type?: string;
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly lastTransitionTime?: string | null;
}

interface RawVolume {
  readonly name?: string;
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string } | null;
  readonly persistentVolumeClaim?: { readonly claimName?: string } | null;
  readonly ephemeral?: object | null;
}

interface RawPod {
  readonly metadata?: {
    readonly namespace?: string;
    readonly name?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly deletionTimestamp?: string | null;
    readonly deletionGracePeriodSeconds?: number | null;
    readonly labels?: Readonly<Record<string, string>> | null;
    readonly annotations?: Readonly<Record<string, string>> | null;
    readonly ownerReferences?: readonly (Partial<Controller> & { readonly controller?: boolean | null })[] | null;
  };
  readonly spec?: RawRequester['spec'] & {
    readonly nodeName?: string;
    readonly terminationGracePeriodSeconds?: number | null;
    readonly volumes?: readonly RawVolume[] | null;
  };
  readonly status?: RawRequester['status'] & {
    readonly phase?: string;
    readonly podIP?: string;
    readonly startTime?: string | null;
    readonly conditions?: readonly RawCondition[] | null;
    readonly containerStatuses?: readonly RawContainerStatus[];
    readonly initContainerStatuses?: readonly RawContainerStatus[];
  };
}

/** Keeps of a core/v1 Pod, as the API server's JSON, what this operator reads (FIELD.md P16, A61); any member may be missing. */
export function projectPod(raw: unknown): Pod {
  const pod = (raw ?? NOTHING) as RawPod;
  const { metadata = NOTHING, spec = NOTHING, status = NOTHING } = pod;
  const owner = metadata.ownerReferences?.find((reference) => reference.controller === true);
  return {
    namespace: shared(metadata.namespace ?? ''),
    name: metadata.name ?? '',
    uid: metadata.uid ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    labels: metadata.labels ?? NOTHING,
    nodeName: shared(spec.nodeName ?? ''),
    phase: phaseOf(status.phase),
    ready: status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false,
    ...deletionOf(metadata),
    ...(owner && { controller: sharedController(owner) }),
    mirror: isMirror(metadata),
    emptyDirs: emptyDirsOf(spec.volumes ?? NONE),
    ...claimsOf(metadata.name ?? '', spec.volumes ?? NONE),
    ...disruptionOf(metadata.annotations, status.startTime),
    ...graceOf(spec.terminationGracePeriodSeconds),
    requests: sharedRequests(podRequests(pod)),
    oomKills: oomKillsOf(status),
    ...evictionOf(status.conditions),
    ...sessionOf(metadata, status),
  };
}

/** Shared by all pods that have none; frozen because it is. */
const NOTHING: Readonly<Record<string, never>> = Object.freeze({});
const NONE: readonly never[] = Object.freeze([]);

/** A pod read before the API server filled in its phase is pending; a word of a newer API is unknown. */
function phaseOf(phase: string | undefined): Pod['phase'] {
  switch (phase) {
    case undefined:
    case '':
    case 'Pending':
      return 'Pending';
    case 'Running':
      return 'Running';
    case 'Succeeded':
      return 'Succeeded';
    case 'Failed':
      return 'Failed';
    default:
      return 'Unknown';
  }
}

/** The eviction API marks the pod before it deletes it (KEP-3329). */
function evictionOf(conditions: readonly RawCondition[] | null | undefined): Pick<Pod, 'evictedAt'> {
  const mark = conditions?.find(
    ({ type, status, reason }) => type === 'DisruptionTarget' && status === 'True' && reason === 'EvictionByEvictionAPI',
  );
  return mark ? { evictedAt: mark.lastTransitionTime ?? '' } : NOTHING;
}

function sessionOf({ labels, annotations }: NonNullable<RawPod['metadata']>, status: NonNullable<RawPod['status']>): Pick<Pod, 'session'> {
  const session = sessionPodFacts(labels, annotations, status);
  return session ? { session } : NOTHING;
}

function isMirror(metadata: NonNullable<RawPod['metadata']>): boolean {
  if (metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return true;
  return metadata.ownerReferences?.some((owner) => owner.apiVersion === 'v1' && owner.kind === 'Node') ?? false;
}

function deletionOf({ deletionTimestamp, deletionGracePeriodSeconds }: NonNullable<RawPod['metadata']>) {
  return deletionTimestamp ? { deletionTimestamp, deletionGraceSeconds: deletionGracePeriodSeconds ?? 0 } : NOTHING;
}

function disruptionOf(annotations: Readonly<Record<string, string>> | null | undefined, startTime: string | null | undefined) {
  const disruption = annotations ? disruptionMarks(annotations, startTime ?? undefined) : undefined;
  return disruption ? { disruption } : NOTHING;
}

/** The claim of an ephemeral volume is named after pod and volume (KEP-1698). */
function claimsOf(podName: string, volumes: readonly RawVolume[]): Pick<Pod, 'claims'> {
  let claims: string[] | undefined;
  for (const { name = '', persistentVolumeClaim, ephemeral } of volumes) {
    const claim = persistentVolumeClaim?.claimName ?? (ephemeral ? `${podName}-${name}` : undefined);
    if (claim !== undefined) claims = [...(claims ?? []), claim];
  }
  return claims ? { claims } : NOTHING;
}

function emptyDirsOf(volumes: readonly RawVolume[]): readonly EmptyDir[] {
  let found: EmptyDir[] | undefined;
  for (const { name = '', emptyDir } of volumes) {
    if (!emptyDir) continue;
    found ??= [];
    found.push({ name, medium: emptyDir.medium ?? '', ...(emptyDir.sizeLimit && { sizeLimit: emptyDir.sizeLimit }) });
  }
  return found ?? NONE;
}

function graceOf(seconds: number | null | undefined): Pick<Pod, 'graceSeconds'> {
  return typeof seconds === 'number' && seconds !== DEFAULT_GRACE_SECONDS ? { graceSeconds: seconds } : NOTHING;
}

/** A kill is seen in `state` until the restart and in `lastState` after it: counted by the restarts before it, both give the same one. */
function oomKillsOf(status: NonNullable<RawPod['status']>): readonly OomKill[] {
  let found: OomKill[] | undefined;
  for (const list of [status.initContainerStatuses ?? NONE, status.containerStatuses ?? NONE]) {
    for (const { name = '', restartCount = 0, state, lastState } of list) {
      for (const [terminated, restarts] of [
        [lastState?.terminated, Math.max(0, restartCount - 1)] as const,
        [state?.terminated, restartCount] as const,
      ]) {
        if (terminated?.reason !== 'OOMKilled') continue;
        found ??= [];
        found.push({ container: name, restartCount: restarts, finishedAt: terminated.finishedAt ?? '' });
      }
    }
  }
  return found ?? NONE;
}

/** 100,000 pods name few namespaces, nodes, controllers and request sizes: one copy of each is kept (FIELD.md N10). */
const KEPT = 20_000;
const texts = new Map<string, string>();
const controllers = new Map<string, Controller>();
const sizes = new Map<string, Requests>();

function shared(text: string): string {
  return keptOr(texts, text, () => text);
}

function sharedController({ apiVersion = '', kind = '', name = '', uid = '' }: Partial<Controller>): Controller {
  return keptOr(controllers, `${apiVersion}/${kind}/${name}/${uid}`, () => ({
    apiVersion: shared(apiVersion),
    kind: shared(kind),
    name,
    uid,
  }));
}

function sharedRequests(requests: Requests): Requests {
  return keptOr(sizes, `${requests.cpuMillicores}/${requests.memoryBytes}`, () => Object.freeze(requests));
}

function keptOr<T>(kept: Map<string, T>, key: string, make: () => T): T {
  const known = kept.get(key);
  if (known !== undefined) return known;
  // Old entries may belong to pods long gone; starting over costs only some sharing.
  if (kept.size >= KEPT) kept.clear();
  const made = make();
  kept.set(key, made);
  return made;
}
