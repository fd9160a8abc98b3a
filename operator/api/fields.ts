import { z } from 'zod';

/** A CEL rule as a CRD holds it: `rule` decides, the message names the field and the fix. */
export interface ValidationRule {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  /** Relative to the object that carries the rule, for example `.deadline`. */
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
  readonly reason?: 'FieldValueInvalid' | 'FieldValueForbidden' | 'FieldValueRequired';
}

/** The schema metadata under which CEL rules reach the CRD. */
export function rules(...validations: readonly ValidationRule[]): { readonly 'x-kubernetes-validations': readonly ValidationRule[] } {
  return { 'x-kubernetes-validations': validations };
}

/** A bounded text. */
export function text(maxLength: number, description: string) {
  return z.string().max(maxLength).describe(description);
}

/** A bounded text of at least one character. */
export function filled(maxLength: number, description: string) {
  return z.string().min(1).max(maxLength).describe(description);
}

/** An RFC 3339 time; the format is checked by the API server, zod's own pattern for it would be 256 characters long. */
export function timestamp(description: string) {
  return z
    .string()
    .max(64)
    .refine((value) => /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value)), {
      message: 'must be an RFC 3339 time such as 2026-12-01T10:00:00Z',
    })
    .meta({ format: 'date-time', description });
}

/** A count of something; never negative, at most what 32 bits hold. */
export function count(description: string) {
  return z.int32().min(0).meta({ format: 'int32', description });
}

/** The same type with every member and element read-only, as objects of the API server are handed around. */
export type DeepReadonly<T> = T extends readonly (infer Element)[]
  ? readonly DeepReadonly<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

/** The schema of `status.observedGeneration`, the same in every kind. */
export function observedGeneration() {
  return z.int().min(0).meta({ format: 'int64', description: 'The metadata.generation that this status speaks of.' }).optional();
}
