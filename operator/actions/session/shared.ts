import type { ActionContext } from '../action.ts';
import { answering } from '../outcome.ts';
import { type Asked, sessionTarget } from './asked.ts';
import { passOf, rememberSession } from './pass.ts';
import { planSession } from './plan.ts';

/** The members that all session actions have: they state what a Session should be, and look on until it is; only what they ask for differs. */
export function statesOfSession<Params extends { readonly sessionRef: { readonly name: string } }>(asked: (params: Params) => Asked) {
  return {
    rbacScope: 'sessions' as const,
    atomic: false,
    statesIntent: true,
    target: sessionTarget,
    remember: (params: Params, context: ActionContext) => rememberSession(asked(params), context),
    plan: (params: Params, context: ActionContext) => planSession(asked(params), context),
    execute: (params: Params, context: ActionContext) => answering(context, () => passOf(asked(params), context)),
  };
}
