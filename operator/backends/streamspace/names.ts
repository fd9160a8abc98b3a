import { createHash } from 'node:crypto';

/** The longest name of a session: its claim is `<name>-home`, and that has at most 63 characters. */
const LONGEST = 58;
const DIGEST_DIGITS = 16;

const usable = new RegExp(`^[a-z]([-a-z0-9]{0,${LONGEST - 2}}[a-z0-9])?$`);
/** How names end that are made here: an id that ends so is made anew too, so that no two ids ever share a name. */
const made = new RegExp(`--[0-9a-f]{${DIGEST_DIGITS}}$`);

/**
 * The name of the objects of a session: its id where that can be the name of a Service and leaves room for the claim of the home, else what is left of it
 * and a digest of the whole id (streamspace.md 4.2).
 */
export function sessionName(id: string): string {
  if (usable.test(id) && !made.test(id)) return id;
  const digest = createHash('sha256').update(id).digest('hex').slice(0, DIGEST_DIGITS);
  const words = slug(id, LONGEST - DIGEST_DIGITS - 2);
  const start = /^[a-z]/.test(words) ? words : slug(`s-${words}`, LONGEST - DIGEST_DIGITS - 2);
  return `${start}--${digest}`;
}

/** What is left of a text when it may have lower-case letters, digits and single dashes inside only; empty where that is nothing. */
export function slug(text: string, longest: number): string {
  const words = text.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return words.replace(/^-/, '').slice(0, longest).replace(/-$/, '');
}
