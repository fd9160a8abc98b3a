const pattern = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d)(:\d\d)?(\.\d{1,9})?(?:([Zz])|([+-]\d\d):?(\d\d)?)?$/;

/** Reads ISO 8601 date and time with or without fraction and zone; no zone means UTC (optimizer.md 1). Undefined when it is none. */
export function parseTime(text: string): Date | undefined {
  const [, day, minutes, seconds = ':00', fraction = '', , hours, rest = '00'] = pattern.exec(text.trim()) ?? [];
  if (day === undefined || minutes === undefined) return undefined;
  const zone = hours === undefined ? 'Z' : `${hours}:${rest}`;
  const at = new Date(`${day}T${minutes}${seconds}${fraction.slice(0, 4)}${zone}`);
  // V8 reads 30 February as 2 March: a day that does not exist must not become another one.
  const calendar = new Date(`${day}T00:00:00Z`);
  const real = !Number.isNaN(calendar.getTime()) && calendar.toISOString().startsWith(day);
  return real && !Number.isNaN(at.getTime()) ? at : undefined;
}
