import { z } from 'zod';
import type { PolicyRule } from '../action.ts';
import { objectName, timeoutSeconds } from '../params.ts';

/** What every session action names. */
export const sessionRef = z
  .object({ name: objectName('Name of the Session. Required.') })
  .describe('The Session, in the namespace of the sessions. Required.');

/** Longer than the default startDeadline of a template, so that the Session says what went wrong before the action gives up. */
export const startTimeout = timeoutSeconds(360);
/** Longer than pods usually take to shut down. */
export const stopTimeout = timeoutSeconds(300);

/** What it takes to write an intent into a Session. */
export const intentRights: readonly PolicyRule[] = [
  { apiGroups: ['cloudoptim.io'], resources: ['sessions'], verbs: ['get', 'patch'] },
  { apiGroups: ['cloudoptim.io'], resources: ['sessions/status'], verbs: ['patch'] },
];
