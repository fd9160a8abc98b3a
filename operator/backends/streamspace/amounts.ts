const quantity = /^([0-9]{1,18}([.][0-9]{1,18})?|[.][0-9]{1,18})([KMGTPE]i|[numkMGTPE]|[eE][+-]?[12]?[0-9])?$/;
const duration = /^([0-9]{1,6}([.][0-9]{1,3})?(ms|s|m|h))+$/;

/** A Kubernetes quantity above 0, from a text or a number; undefined for anything else. */
export function readQuantity(value: unknown): string | undefined {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : '';
  return text.length <= 64 && quantity.test(text) && /^[^a-zA-Z]*[1-9]/.test(text) ? text : undefined;
}

/** A duration as Go writes it; none at all, which switches off, is the empty text; undefined for anything else. */
export function readDuration(value: unknown): string | undefined {
  if (value === undefined || value === null) return '';
  const text = typeof value === 'string' ? value.trim() : value === 0 ? '0' : undefined;
  if (text === undefined) return undefined;
  if (/^(0(\.0+)?(ms|s|m|h)?)*$/.test(text)) return '';
  return text.length <= 32 && duration.test(text) ? text : undefined;
}

/** A port from 1 to 65535, from a number or a text of digits; undefined for anything else. */
export function readPort(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^\d{1,5}$/.test(value.trim()) ? Number(value) : value;
  return Number.isInteger(number) && (number as number) >= 1 && (number as number) <= 65_535 ? (number as number) : undefined;
}

/** A foreign value for a message: at most 100 characters of it on one line, and of an object, which may be as large and deep as a frame, nothing. */
export function quote(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'object') return Array.isArray(value) ? 'a list' : 'an object';
  const line = String(value)
    .slice(0, 200)
    .replace(/[\p{Cc}\s]+/gu, ' ');
  return JSON.stringify((line.length > 100 ? `${line.slice(0, 99)}…` : line).toWellFormed());
}
