/** What this operator keeps of a core/v1 Event. */
export interface CoreEvent {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  readonly reason: string;
  readonly type: 'Normal' | 'Warning';
  /** At most 1024 characters. */
  readonly message: string;
  readonly involvedObject: { readonly kind: string; readonly namespace: string; readonly name: string };
  /** The component that wrote it; empty where it did not say. */
  readonly source: string;
  /** How often it happened so far: of the series where there is one. */
  readonly count: number;
  /** When it last happened; absent where no readable time is given. */
  readonly at?: Date;
}

interface RawEvent {
  readonly metadata?: {
    readonly uid?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string | null;
  };
  readonly reason?: string;
  readonly type?: string;
  readonly message?: string;
  readonly involvedObject?: { readonly kind?: string; readonly namespace?: string; readonly name?: string };
  readonly source?: { readonly component?: string } | null;
  readonly reportingComponent?: string;
  readonly count?: number | null;
  readonly series?: { readonly count?: number; readonly lastObservedTime?: string | null } | null;
  readonly firstTimestamp?: string | null;
  readonly lastTimestamp?: string | null;
  readonly eventTime?: string | null;
}

/** Keeps of a core/v1 Event, as the API server's JSON, what is sent upstream; those written by events.k8s.io count in `series` instead. */
export function projectCoreEvent(raw: unknown): CoreEvent {
  const event = (raw ?? {}) as RawEvent;
  const { metadata = {}, involvedObject = {}, series } = event;
  const at = firstTime(series?.lastObservedTime, event.lastTimestamp, event.eventTime, event.firstTimestamp, metadata.creationTimestamp);
  return {
    uid: metadata.uid ?? '',
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    resourceVersion: metadata.resourceVersion ?? '',
    reason: event.reason ?? '',
    type: event.type === 'Warning' ? 'Warning' : 'Normal',
    message: bounded(event.message ?? ''),
    involvedObject: { kind: involvedObject.kind ?? '', namespace: involvedObject.namespace ?? '', name: involvedObject.name ?? '' },
    source: event.source?.component || event.reportingComponent || '',
    count: series?.count || event.count || 1,
    ...(at && { at }),
  };
}

const LONGEST_MESSAGE = 1024;

/** Never ends inside a surrogate pair: half a character would not survive the way to UTF-8. */
function bounded(text: string): string {
  if (text.length <= LONGEST_MESSAGE) return text.toWellFormed();
  const cut = text.slice(0, LONGEST_MESSAGE - 1);
  return `${(cut.isWellFormed() ? cut : cut.replace(/[\ud800-\udbff]$/, '')).toWellFormed()}…`;
}

function firstTime(...texts: readonly (string | null | undefined)[]): Date | undefined {
  for (const text of texts) {
    const at = text ? new Date(text) : undefined;
    if (at && !Number.isNaN(at.getTime())) return at;
  }
  return undefined;
}
