import type { JsonObject } from '../lib/json.ts';
import type { Query } from './call.ts';
import type { KubeClient } from './client.ts';
import { isStatus } from './error.ts';
import type { Resource } from './object.ts';

/** As kubectl: `limit=500`, `continue` followed (FIELD.md K6). */
const PAGE_SIZE = 500;
/** A list whose continue token expires again and again is not going to end. */
const MAX_RESTARTS = 5;

/** What to list, and how each item is kept. */
export interface ListOptions<T> {
  readonly namespace?: string | undefined;
  readonly query?: Query;
  /** Undefined leaves the item out. */
  readonly project: (raw: JsonObject) => T | undefined;
}

/** Lists a whole collection page by page, projecting while reading; an expired `continue` starts anew (FIELD.md K6). */
export async function listAll<T>(
  client: KubeClient,
  resource: Resource,
  options: ListOptions<T>,
  signal: AbortSignal,
): Promise<{ items: T[]; resourceVersion: string }> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await listOnce(client, resource, options, signal);
    } catch (error) {
      if (!isStatus(error, 410) || restarts === MAX_RESTARTS) throw error;
    }
  }
}

async function listOnce<T>(client: KubeClient, resource: Resource, options: ListOptions<T>, signal: AbortSignal) {
  const items: T[] = [];
  let token: string | undefined;
  for (;;) {
    const page = await client.list(resource, options.namespace, { ...options.query, limit: PAGE_SIZE, continue: token }, signal);
    for (const raw of page.items) {
      const item = options.project(raw);
      if (item !== undefined) items.push(item);
    }
    token = page.metadata.continue;
    if (!token) return { items, resourceVersion: page.metadata.resourceVersion };
  }
}
