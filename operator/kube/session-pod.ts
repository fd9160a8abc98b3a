/** Pods with this value of the label `app` are those of sessions (seed 002). */
export const SESSION_APP = 'streamspace-session';

/** A container that waits for more than the usual moment. */
interface Waiting {
  readonly container: string;
  /** As the kubelet says it, such as `ImagePullBackOff`. */
  readonly reason: string;
  readonly message: string;
}

/** How a container last ended. */
interface Exit {
  readonly container: string;
  readonly code: number;
  readonly reason: string;
}

/** What is kept of the pod of a session beside what is kept of every pod: what shows why it does not start. Members are there only where they say something. */
export interface SessionPodFacts {
  readonly ip?: string;
  /** The words of the scheduler, as long as it finds no place. */
  readonly unschedulable?: { readonly reason: string; readonly message: string };
  readonly waiting?: Waiting;
  /** Restarts of all its containers together. */
  readonly restarts?: number;
  /** There once a container has ended. */
  readonly exit?: Exit;
  /** True once all its images are there. */
  readonly pulled?: true;
  /** The annotation `cloudoptim.io/last-activity`. */
  readonly lastActivity?: string;
}

interface RawState {
  readonly waiting?: { readonly reason?: string; readonly message?: string } | null;
  readonly running?: object | null;
  readonly terminated?: { readonly exitCode?: number; readonly reason?: string } | null;
}

interface RawStatus {
  readonly podIP?: string;
  readonly conditions?:
    | readonly { readonly type?: string; readonly status?: string; readonly reason?: string; readonly message?: string }[]
    | null;
  readonly containerStatuses?: readonly {
    readonly name?: string;
    readonly imageID?: string;
    readonly restartCount?: number;
    readonly state?: RawState | null;
    readonly lastState?: RawState | null;
  }[];
}

/** Every container waits for these on its way. */
const USUAL = new Set(['ContainerCreating', 'PodInitializing']);

/** Keeps it of the pods of sessions; undefined for all others, so that they cost nothing. */
export function sessionPodFacts(
  labels: Readonly<Record<string, string>> | null | undefined,
  annotations: Readonly<Record<string, string>> | null | undefined,
  status: RawStatus,
): SessionPodFacts | undefined {
  if (labels?.app !== SESSION_APP) return undefined;
  const scheduled = status.conditions?.find(({ type }) => type === 'PodScheduled');
  const containers = status.containerStatuses ?? [];
  const restarts = containers.reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
  const activity = annotations?.['cloudoptim.io/last-activity'];
  return {
    ...(status.podIP ? { ip: status.podIP } : {}),
    ...(scheduled?.status === 'False' ? { unschedulable: { reason: scheduled.reason ?? '', message: scheduled.message ?? '' } } : {}),
    ...member('waiting', first(containers, waitingOf)),
    ...(restarts > 0 ? { restarts } : {}),
    ...member('exit', first(containers, exitOf)),
    ...(containers.length > 0 && containers.every(isPulled) ? { pulled: true as const } : {}),
    ...(activity === undefined ? {} : { lastActivity: activity }),
  };
}

type RawContainer = NonNullable<RawStatus['containerStatuses']>[number];

function waitingOf({ name = '', state }: RawContainer): Waiting | undefined {
  const { reason = '', message = '' } = state?.waiting ?? {};
  return reason === '' || USUAL.has(reason) ? undefined : { container: name, reason, message };
}

function exitOf({ name = '', state, lastState }: RawContainer): Exit | undefined {
  const ended = state?.terminated ?? lastState?.terminated;
  return ended ? { container: name, code: ended.exitCode ?? 0, reason: ended.reason ?? '' } : undefined;
}

function isPulled({ imageID, state, lastState }: RawContainer): boolean {
  return Boolean(imageID || state?.running || state?.terminated || lastState?.terminated);
}

function first<T>(containers: readonly RawContainer[], look: (container: RawContainer) => T | undefined): T | undefined {
  for (const container of containers) {
    const found = look(container);
    if (found !== undefined) return found;
  }
  return undefined;
}

function member<Name extends string, T>(name: Name, value: T | undefined): { readonly [Key in Name]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [Key in Name]: T });
}
