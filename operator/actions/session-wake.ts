import { z } from 'zod';
import { defineAction } from './action.ts';
import { answering } from './outcome.ts';
import { type Asked, sessionTarget } from './session/asked.ts';
import { intentRights, sessionRef, startTimeout } from './session/params.ts';
import { passOf, rememberSession } from './session/pass.ts';
import { planSession } from './session/plan.ts';
import { giveBack } from './session/undo.ts';

const params = z.object({ sessionRef, timeoutSeconds: startTimeout });

const asked = ({ sessionRef: { name }, timeoutSeconds }: z.output<typeof params>): Asked => ({ name, state: 'Running', timeoutSeconds });

/** Has a hibernated session run again. */
export const sessionWake = defineAction({
  name: 'SessionWake',
  member: 'sessionWake',
  summary: 'Wakes a hibernated session; done when its desktop can be reached. One that does not come to run is hibernated again.',
  params,
  rbac: intentRights,
  rbacScope: 'sessions',
  example: { sessionRef: { name: 'ada-vscode' } },
  atomic: false,
  statesIntent: true,
  target: sessionTarget,
  remember: (request, context) => rememberSession(asked(request), context),
  plan: (request, context) => planSession(asked(request), context),
  execute: (request, context) => answering(context, () => passOf(asked(request), context)),
  undoes: () => true,
  compensate: (request, context) => giveBack(asked(request), context),
});
