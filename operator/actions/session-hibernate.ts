import { z } from 'zod';
import { defineAction } from './action.ts';
import { answering } from './outcome.ts';
import { type Asked, sessionTarget } from './session/asked.ts';
import { intentRights, sessionRef, stopTimeout } from './session/params.ts';
import { passOf, rememberSession } from './session/pass.ts';
import { planSession } from './session/plan.ts';
import { tellWhatStays } from './session/undo.ts';

const params = z.object({ sessionRef, timeoutSeconds: stopTimeout });

const asked = ({ sessionRef: { name }, timeoutSeconds }: z.output<typeof params>): Asked => ({ name, state: 'Hibernated', timeoutSeconds });

/** Takes a session's pod away and keeps all that a wake needs. */
export const sessionHibernate = defineAction({
  name: 'SessionHibernate',
  member: 'sessionHibernate',
  summary: 'Hibernates a session: its pod goes, its home and settings stay; done when no pod is left.',
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
  compensate: (request, context) => tellWhatStays(asked(request), context),
});
