import type { ApiRequest } from '../cluster/api-proxy.ts';

/** One of the operator's calls, by what it is: the nth of its kind since the counting began, 1 for the first. */
export interface Call {
  /** Such as `PATCH optimizationactions/status` or `backend POST result`. */
  readonly kind: string;
  readonly nth: number;
}

/** Where a process is killed: before the call leaves it, or after the server took it and before the process heard so. */
export interface Point extends Call {
  readonly moment: 'before' | 'after';
}

/** Counts calls by kind. */
export class CallCounter {
  readonly #counts = new Map<string, number>();
  readonly calls: Call[] = [];

  count(kind: string): Call {
    const nth = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, nth);
    const call = { kind, nth };
    this.calls.push(call);
    return call;
  }
}

/** What a request to the API server is, without the names in it; undefined for a watch, which is no call but a stream. */
export function kindOf({ method, path, watch }: ApiRequest): string | undefined {
  if (watch) return undefined;
  const url = new URL(path, 'https://api');
  const [, resource = url.pathname, , subresource] =
    /^\/(?:api\/v1|apis\/[^/]+\/[^/]+)(?:\/namespaces\/[^/]+(?=\/))?\/([^/]+)(?:\/([^/]+))?(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
  const by = url.searchParams.get('fieldManager') === 'cloudoptim-report' ? ' (Reported)' : '';
  const one = url.searchParams.get('fieldSelector') ? ' (selected)' : '';
  return `${method} ${resource}${subresource ? `/${subresource}` : ''}${one}${by}`;
}

/** A point as people read it. */
export function describePoint({ kind, nth, moment }: Point): string {
  return `${moment} ${kind} #${nth}`;
}
