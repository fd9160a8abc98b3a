import type { ActionContext, Progress } from '../../operator/actions/action.ts';
import { drain } from '../../operator/actions/drain/drain.ts';
import { contextFor, type FakeCluster, makePod } from './fake-cluster.ts';

/** A drain of n1 with the defaults. */
export const params = drain.params.parse({ nodeName: 'n1' }) as Parameters<typeof drain.execute>[0];

/**
 * Passes of one drain on a fake cluster; what a pass recorded is handed to the next. The pass that only tells what is in the way before the cordon
 * is followed by the next at once, as in the controller, unless it is what the test is about.
 */
export function drainOf(cluster: FakeCluster, more: Partial<ActionContext> = {}, asked = params, preflight = false) {
  let before: ActionContext['before'] = { result: {}, blockers: [] };
  return async function pass(seconds = 0): Promise<Progress> {
    cluster.seconds = seconds;
    const progress = await drain.execute(asked, contextFor(cluster, { ...more, before }, seconds));
    before = { result: progress.result ?? {}, blockers: ('blockers' in progress && progress.blockers) || [] };
    const isTold = progress.state === 'running' && progress.result?.cordon === undefined;
    return isTold && !preflight ? pass(seconds) : progress;
  };
}

/** A pod without a controller. */
export function bare(name: string) {
  const { controller: _, ...pod } = makePod(name);
  return pod;
}

/** What a pass asks for next. */
export const nextOf = (progress: Progress) => (progress.state === 'running' ? progress.next : undefined);
/** Pods that no budget selects. */
export const webPods = (...names: string[]) => names.map((name) => makePod(name));
/** Pods that the budget cart selects. */
export const cartPods = (...names: string[]) => names.map((name) => makePod(name, { labels: { app: 'cart' } }));
