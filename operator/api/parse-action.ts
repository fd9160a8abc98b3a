import type { z } from 'zod';
import type { ActionDefinition, Target } from '../actions/action.ts';
import { requestFields } from './optimization-action-spec.ts';

/** Parameters as the action's own schema left them: known members only, defaults filled in. */
type Params = Readonly<Record<string, unknown>>;

/** Parameters that can be executed, or every problem as `field: what is wrong`. */
type ParsedParams = { readonly ok: true; readonly params: Params } | { readonly ok: false; readonly problems: readonly string[] };

/** A request that can be executed, or every problem with it. */
export type ParsedSpec =
  | {
      readonly ok: true;
      readonly definition: ActionDefinition;
      readonly params: Params;
      readonly target: Target;
      readonly fields: z.output<typeof requestFields>;
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Checks parameters with the action's own schema; members it does not know are left out. */
function parseParams(definition: ActionDefinition, raw: unknown, path: string): ParsedParams {
  const parsed = definition.params.safeParse(raw);
  return parsed.success ? { ok: true, params: parsed.data } : { ok: false, problems: problems(parsed.error, path) };
}

/** Checks a whole spec with the schemas the CRD is made of: an object that was stored under an older CRD is refused in words, not thrown at. */
export function parseActionSpec(raw: unknown, actions: readonly ActionDefinition[]): ParsedSpec {
  const spec: Params = isRecord(raw) ? raw : {};
  const definition = actions.find((each) => each.name === spec.action);
  if (!definition) {
    return { ok: false, problems: [`spec.action: must be one of ${actions.map((each) => each.name).join(', ')}`] };
  }
  const fields = requestFields.safeParse(spec);
  const params = parseParams(definition, spec[definition.member], `spec.${definition.member}`);
  const foreign = actions
    .filter((each) => each !== definition && spec[each.member] !== undefined)
    .map((each) => `spec.${each.member}: does not belong to the action ${definition.name}`);
  if (fields.success && params.ok && foreign.length === 0) {
    return { ok: true, definition, params: params.params, target: definition.target(params.params), fields: fields.data };
  }
  return {
    ok: false,
    problems: [...(fields.success ? [] : problems(fields.error, 'spec')), ...(params.ok ? [] : params.problems), ...foreign],
  };
}

function problems(error: z.ZodError, path: string): readonly string[] {
  return error.issues.map((issue) => `${[path, ...issue.path].join('.')}: ${issue.message}`);
}

function isRecord(value: unknown): value is Params {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
