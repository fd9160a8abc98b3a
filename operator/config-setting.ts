import { z } from 'zod';

/** One setting: a variable of the environment and its flag, by default of the same name (`CLUSTER_ID`, `--cluster-id`). */
export interface Setting<Schema extends z.ZodType = z.ZodType> {
  readonly schema: Schema;
  /** One sentence for `--help`. */
  readonly about: string;
  /** What a value looks like, in words. */
  readonly shape: string;
  readonly example: string;
  /** The flag without its dashes, where it is called otherwise. */
  readonly flag?: string;
  /** True: the flag alone means true. */
  readonly isSwitch?: boolean;
  /** True: never shown, and no flag, because flags are visible to everyone on the machine. `flag too`: one for old command lines, with a warning. */
  readonly secret?: true | 'flag too';
}

/** A number of seconds. */
export function seconds(least: number, most: number) {
  return z.coerce.number().min(least).max(most);
}

/** A URL of a backend; credentials have no place in it. */
export function backendURL() {
  return z.string().refine((value) => /^(https?|wss?):$/.test(URL.parse(value)?.protocol ?? '') && !value.includes('@'));
}

/** The name of a namespace. */
export const namespaceName = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/);
