import { z } from 'zod';
import { sessionRequest } from '../api/session-spec.ts';
import { defineAction } from './action.ts';
import { withRules } from './params.ts';
import type { Asked } from './session/asked.ts';
import { intentRights, sessionRef, startTimeout } from './session/params.ts';
import { statesOfSession } from './session/shared.ts';
import { giveBack } from './session/undo.ts';

const params = z.object({
  sessionRef,
  session: withRules(sessionRequest, [
    {
      rule: 'has(self.templateRef) != has(self.template)',
      message: 'set exactly one of session.templateRef and session.template: the name of a SessionTemplate, or what the session runs',
      field: 'templateRef',
      holds: ({ templateRef, template }) => (templateRef === undefined) !== (template === undefined),
    },
  ])
    .describe('What the Session is made with where there is none; one that is there keeps what it has. Default: it must be there.')
    .optional(),
  timeoutSeconds: startTimeout,
});

const asked = ({ sessionRef: { name }, session, timeoutSeconds }: z.output<typeof params>): Asked => ({
  name,
  state: 'Running',
  timeoutSeconds,
  request: session,
  restarts: true,
});

/** Has a session run, and makes it where there is none. */
export const sessionStart = defineAction({
  name: 'SessionStart',
  member: 'sessionStart',
  summary:
    'Starts a session, or makes, restarts or wakes it; done when its desktop can be reached. One that does not come to run is given back the state it had.',
  params,
  rbac: [{ apiGroups: ['cloudoptim.io'], resources: ['sessions'], verbs: ['create'] }, ...intentRights],
  example: {
    sessionRef: { name: 'ada-vscode' },
    session: { user: 'ada', templateRef: { name: 'vscode' }, home: { enabled: true }, idleTimeout: '30m', maxDuration: '8h' },
  },
  ...statesOfSession(asked),
  undoes: () => true,
  compensate: (request, context) => giveBack(asked(request), context),
});
