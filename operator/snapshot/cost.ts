import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { ClusterSnapshot, NodeSnapshot } from '../backends/snapshot.ts';

type CapacityType = NodeSnapshot['capacityType'];

/** USD per hour by instance type and capacity type (protocols/optimizer.md 2.2: the price table is configuration). */
export type PriceTable = ReadonlyMap<string, Readonly<Partial<Record<CapacityType, number>>>>;

/** A price table that cannot be used; the message names every wrong entry and how to mend it. */
export class PriceTableError extends Error {
  override readonly name = 'PriceTableError';
}

/** The table of an operator that was given none: no node has a price. */
export const NO_PRICES: PriceTable = new Map();

const EXAMPLE = '"m5.large: { on-demand: 0.096, spot: 0.035 }"';
const PRICE_FIX = 'write USD per hour as a plain number of 0 or more';

const price = z.number({ error: PRICE_FIX }).nonnegative({ error: PRICE_FIX }).optional();
const prices = z
  .strictObject({ 'on-demand': price, spot: price }, { error: (issue) => (issue.code === 'unrecognized_keys' ? UNKNOWN_FIX : ENTRY_FIX) })
  .refine((entry) => entry.spot !== undefined || entry['on-demand'] !== undefined, { error: () => ENTRY_FIX });
const table = z.record(z.string().min(1, { error: 'an instance type cannot be empty' }), prices, {
  error: `write one line per instance type, such as ${EXAMPLE}`,
});

const UNKNOWN_FIX = 'only the keys on-demand and spot are known';
const ENTRY_FIX = `give a price for on-demand, spot or both, such as ${EXAMPLE}`;

/** Checks the content of a price file, and names all that is wrong in it at once. */
export function parsePriceTable(content: unknown): PriceTable {
  const parsed = table.safeParse(content);
  if (parsed.success) return new Map(Object.entries(parsed.data).map(([type, entry]) => [type, definedOnly(entry)]));
  const wrong = parsed.error.issues.map((issue) => `${entryName(issue)}: ${issue.message}`);
  throw new PriceTableError(wrong.join('; '));
}

/** Reads a price file, YAML or JSON; the parser is loaded only by those who have such a file. */
export async function loadPriceTable(path: string): Promise<PriceTable> {
  try {
    const [{ parse }, text] = await Promise.all([import('yaml'), readFile(path, 'utf8')]);
    return parsePriceTable(parse(text));
  } catch (error) {
    throw new PriceTableError(`price table ${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** USD per hour of one node; absent when the table does not name it. */
export function priceOf(prices: PriceTable, instanceType: string, capacityType: CapacityType): number | undefined {
  return prices.get(instanceType)?.[capacityType];
}

/** What the table would have to name to price every node; an empty type means nodes without a type label. */
export interface Unpriced {
  readonly instanceType: string;
  readonly capacityType: CapacityType;
  readonly nodes: number;
}

/** The kinds of node without a price, most nodes first: shown in a metric and a condition (protocols/optimizer.md 2.2). */
export function unpricedIn(snapshot: ClusterSnapshot): readonly Unpriced[] {
  const found = new Map<string, Unpriced>();
  for (const { instanceType, capacityType, pricePerHour } of snapshot.nodes) {
    if (pricePerHour !== undefined) continue;
    const key = `${capacityType}/${instanceType}`;
    found.set(key, { instanceType, capacityType, nodes: (found.get(key)?.nodes ?? 0) + 1 });
  }
  return [...found.values()].sort((a, b) => b.nodes - a.nodes || a.instanceType.localeCompare(b.instanceType));
}

function definedOnly(entry: z.infer<typeof prices>): Partial<Record<CapacityType, number>> {
  return {
    ...(entry.spot !== undefined && { spot: entry.spot }),
    ...(entry['on-demand'] !== undefined && { 'on-demand': entry['on-demand'] }),
  };
}

function entryName(issue: z.core.$ZodIssue): string {
  const path = [...issue.path, ...(issue.code === 'unrecognized_keys' ? [issue.keys.join(', ')] : [])];
  return path.length === 0 ? 'the file' : `entry ${path.map((part) => JSON.stringify(part)).join(', ')}`;
}
