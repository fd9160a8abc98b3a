import type { JsonObject } from '../../operator/lib/json.ts';
import type { Plural } from './admission.ts';

/** A spec that is created, or one that becomes another. */
export type Ask = { readonly create: JsonObject; readonly name?: string } | { readonly from: JsonObject; readonly to: JsonObject };

/** What one CEL rule lets through and what it refuses. */
export interface RuleCase {
  readonly plural: Plural;
  /** Finds the rule: its `message` in the CRD. */
  readonly message: string;
  readonly accepts: readonly Ask[];
  /** Each with what the refusal must say; the message itself unless the rule words it by expression. */
  readonly refuses: readonly (Ask & { readonly says?: string })[];
}
