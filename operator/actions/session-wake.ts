import { z } from 'zod';
import { defineAction } from './action.ts';
import type { Asked } from './session/asked.ts';
import { intentRights, sessionRef, startTimeout } from './session/params.ts';
import { statesOfSession } from './session/shared.ts';
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
  example: { sessionRef: { name: 'ada-vscode' } },
  ...statesOfSession(asked),
  undoes: () => true,
  compensate: (request, context) => giveBack(asked(request), context),
});
