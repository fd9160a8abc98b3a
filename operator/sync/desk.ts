import type { OptimizationAction } from '../api/optimization-action.ts';
import type { UpstreamDesk, UpstreamReport, UpstreamRequest } from '../api/upstream.ts';
import { backends } from '../backends/index.ts';
import type { BackendSettings } from '../backends/settings.ts';
import type { CoreEvent } from '../kube/cluster-event.ts';
import type { Fence } from '../kube/fence.ts';
import type { Store } from '../kube/store.ts';
import { fencedBackend } from './fenced-backend.ts';
import type { SessionAccess } from './session-access.ts';
import { Upstream, type UpstreamNews, type UpstreamWorld } from './upstream.ts';
import type { Upstreams } from './upstreams.ts';

/** What the desk works with. */
export interface DeskOptions {
  readonly upstreams: Upstreams;
  readonly world: UpstreamWorld;
  /** What backends that run sessions may see and do. */
  readonly sessions: SessionAccess;
  /** Holds for as long as this process may speak to backends. */
  readonly fence: Fence;
  /** The Events of the last hour that are worth sending, so that a new upstream misses none of the last minutes. */
  readonly events: Store<CoreEvent>;
  /** Kinds of nodes without a price, as text; empty when there is no price table. */
  readonly unpriced: () => string;
  readonly onNews: (upstream: string, news: UpstreamNews) => void;
}

/** Turns what the OptimizationBackends ask for into running upstreams, and what those know into numbers for the status. */
export class Desk implements UpstreamDesk {
  readonly #options: DeskOptions;

  constructor(options: DeskOptions) {
    this.#options = options;
  }

  async ensure(request: UpstreamRequest): Promise<UpstreamReport> {
    const { name, spec, agentID, intervals, key, caBundle, clientCertificate } = request;
    const { suspend, ...settings } = spec;
    const identity = { name, settings: { ...settings, agentID, intervals, caBundle, clientCertificate } };
    const upstream = await this.#options.upstreams.ensure(identity, key, suspend, () => this.#make(request));
    return this.#report(upstream);
  }

  #make(request: UpstreamRequest): Upstream {
    const { name, spec, clusterID, agentID, intervals, key, caBundle, clientCertificate } = request;
    const { sessions } = this.#options;
    const settings: BackendSettings = {
      name,
      url: spec.url,
      ...(spec.webSocketURL ? { webSocketURL: spec.webSocketURL } : {}),
      clusterID,
      agentID,
      ...(key ? { key } : {}),
      intervals,
      tls: {
        ...(caBundle ? { caBundle } : {}),
        insecureSkipVerify: spec.tls?.insecureSkipVerify ?? false,
        ...(clientCertificate ? { clientCertificate } : {}),
      },
      ...(spec.protocol === 'StreamSpace' ? { reconnect: sessions.reconnect, sessions: sessions.settingsFor(request) } : {}),
    };
    const upstream = new Upstream(this.#options.world, {
      name,
      clusterID,
      allowed: spec.actions,
      keyed: key !== undefined || clientCertificate !== undefined,
      counted: request.counted,
      makeBackend: (observe) => fencedBackend(backends[spec.protocol](settings, observe), this.#options.fence),
      onNews: (news) => this.#options.onNews(name, news),
    });
    if (!upstream.takesEvents) return upstream;
    for (const pod of this.#options.world.view.pods()) upstream.feed.observePod(undefined, pod);
    for (const event of this.#options.events.values()) upstream.feed.observeEvent(event);
    return upstream;
  }

  #report(upstream: Upstream): UpstreamReport {
    const { connected, authenticated, refused, message, lastContact, lastTask, lastSnapshot, registered, received, reported, rejected } =
      upstream.facts;
    let running = 0;
    for (const object of this.#options.world.store.values()) if (isRunning(object, upstream.name)) running++;
    return {
      connected,
      authenticated,
      refused,
      message,
      lastContact,
      lastTask,
      lastSnapshot,
      registered,
      tasks: { received, running, reported, rejected },
      lag: upstream.reporter.lag + (upstream.sessions?.reporter.lag ?? 0),
      unpriced: this.#options.unpriced(),
    };
  }
}

function isRunning(object: OptimizationAction, backend: string): boolean {
  return object.spec?.source?.backend === backend && object.status?.finishedAt === undefined;
}
