import { z } from 'zod';
import { defineAction } from './action.ts';
import { flag } from './params.ts';
import type { Asked } from './session/asked.ts';
import { intentRights, sessionRef, stopTimeout } from './session/params.ts';
import { statesOfSession } from './session/shared.ts';
import { tellWhatStays } from './session/undo.ts';

const params = z.object({
  sessionRef,
  deletePVC: flag(false, 'Whether the claim of its home goes too, with all that is in it, whatever its policy says.'),
  timeoutSeconds: stopTimeout,
});

const asked = ({ sessionRef: { name }, deletePVC, timeoutSeconds }: z.output<typeof params>): Asked => ({
  name,
  state: 'Stopped',
  timeoutSeconds,
  deleteHome: deletePVC,
});

/** Takes a session away but for its home. */
export const sessionStop = defineAction({
  name: 'SessionStop',
  member: 'sessionStop',
  summary:
    'Stops a session: everything but its home goes; done when it is stopped, or where there is none. It beats every other action but a SessionStart.',
  params,
  rbac: intentRights,
  example: { sessionRef: { name: 'ada-vscode' } },
  ...statesOfSession(asked),
  compensate: (request, context) => tellWhatStays(asked(request), context),
});
