import { z } from 'zod';
import type { ActionDefinition, Target } from '../actions/action.ts';
import type { OptimizationAction } from '../api/optimization-action.ts';

/** The action an object asks for, with its parameters checked and defaults filled in. */
export interface ParsedAction {
  readonly definition: ActionDefinition;
  readonly params: Readonly<Record<string, unknown>>;
  readonly target: Target;
}

/** Reads the action of an object, or says in words what is wrong with it; the CRD lets nothing wrong through unless it is older than the operator. */
export function parseAction(object: OptimizationAction, actions: readonly ActionDefinition[]): ParsedAction | { readonly problem: string } {
  const spec = (object.spec ?? {}) as Readonly<Record<string, unknown>>;
  const definition = actions.find((each) => each.name === spec['action']);
  if (!definition) {
    const known = actions.map((each) => each.name).join(', ');
    return { problem: `spec.action ${String(spec['action'])} is unknown to this operator, which runs ${known}` };
  }
  const parsed = definition.params.safeParse(spec[definition.member] ?? {});
  if (!parsed.success) return { problem: `spec.${definition.member} is not valid: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}` };
  return { definition, params: parsed.data, target: definition.target(parsed.data) };
}
