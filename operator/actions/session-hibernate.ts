import { z } from 'zod';
import { defineAction } from './action.ts';
import type { Asked } from './session/asked.ts';
import { intentRights, sessionRef, stopTimeout } from './session/params.ts';
import { statesOfSession } from './session/shared.ts';
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
  example: { sessionRef: { name: 'ada-vscode' } },
  ...statesOfSession(asked),
  compensate: (request, context) => tellWhatStays(asked(request), context),
});
