import { setTimeout as sleep } from 'node:timers/promises';
import type { OptimizationAction, OptimizationActionStatus } from '../../operator/api/optimization-action.ts';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import type { Central } from './door.ts';
import type { Row, Screen, Section } from './screen.ts';

const LOOK_EVERY_MS = 200;
const REDRAW_EVERY_MS = 1000;

/** The namespace the demo installs the operator in. */
export const NAMESPACE = 'cloudoptim';

/** What a person sees while the demo runs: the backend's side, what kubectl prints, and what holds the work up. */
export class View {
  readonly #cp: ControlPlaneAccess;
  readonly #central: Central;
  readonly #screen: Screen;
  #version = '';
  #drawnAt = 0;
  #table: readonly string[] = [];
  #actions: readonly OptimizationAction[] = [];

  constructor(cp: ControlPlaneAccess, central: Central, screen: Screen) {
    this.#cp = cp;
    this.#central = central;
    this.#screen = screen;
  }

  /** Keeps the screen up to date until the signal ends it. */
  async follow(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // The API server may be on its way out.
      await this.refresh().catch(() => {});
      await sleep(LOOK_EVERY_MS);
    }
  }

  /** Looks once and shows what is there. */
  async refresh(): Promise<void> {
    const path = `/apis/cloudoptim.io/v1alpha1/namespaces/${NAMESPACE}/optimizationactions`;
    const list = await this.#cp.api.get<{ metadata: { resourceVersion: string }; items: OptimizationAction[] }>(path);
    const versions = list.items.map(({ metadata }) => metadata.resourceVersion).join();
    const due = this.#screen.inPlace && performance.now() - this.#drawnAt > REDRAW_EVERY_MS;
    if (versions !== this.#version || due) {
      const { stdout } = await this.#cp.kubectl(['get', 'optimizationactions', '-n', NAMESPACE]);
      this.#table = stdout.trimEnd().split('\n').filter(Boolean);
      this.#actions = list.items;
      this.#version = versions;
      this.#drawnAt = performance.now();
    }
    this.#screen.show([this.#upstream(), this.#kubectl(), this.#blockers()]);
  }

  #upstream(): Section {
    const { asked, backend } = this.#central;
    const { handed, results, metrics, heartbeats } = backend.heard;
    const rows: Row[] = [...asked.values()].map(({ task_id, task_type }) => {
      const how = handed.find((hand) => hand.taskID === task_id);
      const result = results.find((each) => each.taskID === task_id)?.body;
      const outcome = result ? `${result.status}: ${result.error ?? result.logs}` : how ? 'handed out' : 'waits for a poll';
      const via = how ? (how.via === 'stream' ? 'socket' : 'poll') : '';
      return { text: [task_id.padEnd(13), task_type.padEnd(13), via.padEnd(7), outcome].join(' ').trimEnd() };
    });
    const snapshot = metrics.at(-1)?.body;
    if (snapshot) {
      const same = snapshotText(snapshot);
      rows.push({ text: `snapshot ${metrics.length}: ${same}`, same });
    }
    const beat = heartbeats.at(-1)?.body.status;
    if (beat) rows.push({ text: `heartbeat ${heartbeats.length}: ${beat}`, same: `heartbeat ${beat}` });
    return { heading: ['the backend:'], rows };
  }

  #kubectl(): Section {
    const [header = '', ...lines] = this.#table;
    const age = header.indexOf('AGE');
    const rows = lines.map((text) => ({ text: text.trimEnd(), same: text.slice(0, age).replace(/ +/g, ' ') }));
    return { heading: [`$ kubectl get optimizationactions -n ${NAMESPACE}`, header], rows };
  }

  #blockers(): Section {
    const rows = this.#actions.flatMap(({ status }) => blockerRows(status?.phase === 'Running' ? (status.blockers ?? []) : []));
    return { heading: ['held up, from status.blockers:'], rows };
  }
}

/** Numbers of a snapshot that people ask for first. */
export function snapshotText(body: Readonly<Record<string, unknown>>): string {
  const { node_count, spot_node_count, pod_count, allocated_cpu_cores, total_cpu_cores, current_cost_per_hour } = body;
  return `${node_count} nodes (${spot_node_count} spot), ${pod_count} pods, ${allocated_cpu_cores} of ${total_cpu_cores} cores asked for, ${current_cost_per_hour} USD an hour`;
}

function blockerRows(blockers: NonNullable<OptimizationActionStatus['blockers']>): Row[] {
  const held = Map.groupBy(blockers, ({ cause, budget = '' }) => `${cause} ${budget}`);
  return [...held.values()].map((pods) => {
    const [{ pod, cause, budget, currentHealthy, desiredHealthy } = { pod: '', cause: '' }] = pods;
    const count = budget === undefined ? '' : `; budget ${budget} needs ${desiredHealthy} healthy pods and has ${currentHealthy}`;
    const more = pods.length > 1 ? ` and ${pods.length - 1} more` : '';
    return { text: `${cause}: ${pod}${more}${count}`, same: `${cause}${count}` };
  });
}
