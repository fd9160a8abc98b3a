/** A text that is not a Kubernetes quantity; the message names it. */
export class QuantityError extends Error {
  override readonly name = 'QuantityError';
}

/** One billionth: the smallest step of a quantity (apimachinery rounds anything finer up to it). */
const NANO = 10n ** 9n;
/** Where apimachinery stops counting: the largest int64, in billionths. */
const LARGEST = (2n ** 63n - 1n) * NANO;
/** A power of ten beyond this is a typing error, and building it would only cost memory. */
const LARGEST_EXPONENT = 30;
const LONGEST_TEXT = 100;

const GRAMMAR = /^([+-]?)(?:(\d+)\.?(\d*)|\.(\d+))(?:([KMGTPE]i)|([numkMGTPE])|[eE]([+-]?\d+))?$/;
const BINARY = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'];
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };

/** Reads the whole quantity grammar of k8s.io/apimachinery `resource.Quantity` into billionths, away from zero when finer than that. */
export function parseQuantity(text: string): bigint {
  const match = text.length <= LONGEST_TEXT ? GRAMMAR.exec(text) : null;
  if (match === null) throw new QuantityError(`not a Kubernetes quantity: ${JSON.stringify(text.slice(0, LONGEST_TEXT))}`);
  const [, sign, whole = '', decimals = '', onlyDecimals = '', binary, decimal, exponent] = match;
  const fraction = decimals + onlyDecimals;
  const ten = Number(exponent ?? DECIMAL[decimal ?? ''] ?? 0);
  if (Math.abs(ten) > LARGEST_EXPONENT)
    throw new QuantityError(`the exponent of the Kubernetes quantity ${JSON.stringify(text)} is too large`);
  const two = binary === undefined ? 0n : 10n * BigInt(BINARY.indexOf(binary) + 1);
  const scale = 9 + ten - fraction.length;
  const digits = BigInt(whole + fraction) << two;
  const size = scale >= 0 ? digits * 10n ** BigInt(scale) : divideUp(digits, 10n ** BigInt(-scale));
  const capped = size > LARGEST ? LARGEST : size;
  return sign === '-' ? -capped : capped;
}

/** CPU in whole millicores, rounded up as `Quantity.MilliValue` does and the scheduler counts. */
export function parseMillicores(text: string): number {
  return roundUp(parseQuantity(text), NANO / 1000n);
}

/** Memory in whole bytes, rounded up as `Quantity.Value` does; exact up to 2^53, the nearest double above. */
export function parseBytes(text: string): number {
  return roundUp(parseQuantity(text), NANO);
}

/** Millicores out of a member of an API object: 0 where it is absent, 0 and counted where it is no quantity. */
export function readMillicores(value: unknown): number {
  return remembered(MILLICORES, value, parseMillicores);
}

/** Bytes out of a member of an API object: 0 where it is absent, 0 and counted where it is no quantity. */
export function readBytes(value: unknown): number {
  return remembered(BYTES, value, parseBytes);
}

/** How many values were read as 0 because they are no quantity; none ever comes from a real API server. */
export function refusedQuantities(): number {
  return refused;
}

/** Pods share few distinct texts: remembered, 100,000 pods cost a lookup each instead of a BigInt parse. */
const REMEMBERED = 4096;
const MILLICORES = new Map<string, number>();
const BYTES = new Map<string, number>();
let refused = 0;

function remembered(known: Map<string, number>, value: unknown, parse: (text: string) => number): number {
  if (value === undefined || value === null) return 0;
  const text = typeof value === 'number' ? String(value) : value;
  const found = typeof text === 'string' ? known.get(text) : undefined;
  if (found !== undefined) return found;
  try {
    if (typeof text !== 'string') throw new QuantityError(`not a Kubernetes quantity: a ${typeof text}`);
    const amount = parse(text);
    // Usage figures never repeat; starting over is cheaper than ordering by use.
    if (known.size >= REMEMBERED) known.clear();
    known.set(text, amount);
    return amount;
  } catch (error) {
    if (!(error instanceof QuantityError)) throw error;
    refused += 1;
    return 0;
  }
}

function roundUp(nanos: bigint, unit: bigint): number {
  return nanos < 0n ? 0 - Number(divideUp(-nanos, unit)) : Number(divideUp(nanos, unit));
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
