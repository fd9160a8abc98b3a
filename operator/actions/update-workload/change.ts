import { parseQuantity, QuantityError } from '../../kube/quantity.ts';
import type { JsonObject } from '../../lib/json.ts';
import type { Request } from './params.ts';
import { type Amounts, type Container, containersOf, replicasOf, type Workload } from './workload.ts';

/** One value before and after; null where there was none. */
interface FromTo<T> {
  readonly from: T | null;
  readonly to: T;
}

type AmountChanges = Readonly<Record<string, FromTo<string>>>;

interface ContainerChange {
  readonly image?: FromTo<string>;
  readonly requests?: AmountChanges;
  readonly limits?: AmountChanges;
}

/** The values that differ from what was asked for; equal ones are not in it. Stands in `status.result`. */
export interface Change {
  readonly replicas?: FromTo<number>;
  /** By the name of the container. */
  readonly containers?: Readonly<Record<string, ContainerChange>>;
}

/** The two writes of an update, in their order. */
export const STEPS = ['Template', 'Replicas'] as const;

/** One of the two writes. */
export type Step = (typeof STEPS)[number];

/** The part of a change that one write makes; empty where it has nothing to do. */
export function partOf({ replicas, containers }: Change, step: Step): Change {
  if (step === 'Template') return containers ? { containers } : {};
  return replicas ? { replicas } : {};
}

/** Whether nothing has to change. */
export function isEmpty({ replicas, containers }: Change): boolean {
  return !replicas && !containers;
}

/** What has to change so that the workload is as asked for; `1000m` and `1` are the same amount. */
export function changeOf(request: Request, workload: Workload): Change {
  const from = replicasOf(workload);
  const to = request.replicas;
  const containers = request.containers.flatMap((asked) => {
    const change = changeOfContainer(
      asked,
      containersOf(workload).find(({ name }) => name === asked.name),
    );
    return Object.keys(change).length === 0 ? [] : [[asked.name, change] as const];
  });
  return {
    ...(to === undefined || to === from ? {} : { replicas: { from, to } }),
    ...(containers.length === 0 ? {} : { containers: Object.fromEntries(containers) }),
  };
}

function changeOfContainer(asked: Request['containers'][number], now: Container | undefined): ContainerChange {
  const requests = changeOfAmounts(asked.requests, now?.resources?.requests);
  const limits = changeOfAmounts(asked.limits, now?.resources?.limits);
  return {
    ...(asked.image === undefined || asked.image === now?.image ? {} : { image: { from: now?.image ?? null, to: asked.image } }),
    ...(requests ? { requests } : {}),
    ...(limits ? { limits } : {}),
  };
}

function changeOfAmounts(asked: Amounts = {}, now: Amounts = {}): AmountChanges | undefined {
  const differing = Object.entries(asked).flatMap(([resource, to]) => {
    const from = Object.hasOwn(now, resource) ? (now[resource] ?? null) : null;
    return from !== null && isSameAmount(from, to) ? [] : [[resource, { from, to }] as const];
  });
  return differing.length === 0 ? undefined : Object.fromEntries(differing);
}

function isSameAmount(a: string, b: string): boolean {
  try {
    return parseQuantity(String(a)) === parseQuantity(b);
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}

/** Every value of a change under its path, such as `web image`. */
export function valuesOf({ replicas, containers = {} }: Change): ReadonlyMap<string, FromTo<string | number>> {
  const values = new Map<string, FromTo<string | number>>();
  if (replicas) values.set('replicas', replicas);
  for (const [name, { image, requests = {}, limits = {} }] of Object.entries(containers)) {
    if (image) values.set(`${name} image`, image);
    for (const [resource, value] of Object.entries(requests)) values.set(`${name} requests ${resource}`, value);
    for (const [resource, value] of Object.entries(limits)) values.set(`${name} limits ${resource}`, value);
  }
  return values;
}

/** One line per value: `web image shop:1 → shop:2`. */
export function linesOf(change: Change): readonly string[] {
  return [...valuesOf(change)].map(([path, { from, to }]) => `${path} ${from ?? 'none'} → ${to}`);
}

/** The containers of the pod template as a strategic merge patch: merged by name, and amounts by resource. */
export function templatePatch({ containers = {} }: Change): JsonObject {
  const list = Object.entries(containers).map(([name, { image, requests, limits }]) => ({
    name,
    ...(image ? { image: image.to } : {}),
    ...(requests || limits ? { resources: { ...amountsPatch('requests', requests), ...amountsPatch('limits', limits) } } : {}),
  }));
  return { template: { spec: { containers: list } } };
}

function amountsPatch(member: string, changes: AmountChanges | undefined): JsonObject {
  return changes ? { [member]: Object.fromEntries(Object.entries(changes).map(([resource, { to }]) => [resource, to])) } : {};
}
