import { createHash } from 'node:crypto';
import type { Session } from '../api/session.ts';
import type { SessionRequest } from '../api/session-spec.ts';

/** What all objects of sessions are labelled with; selectors of seed 002 depend on it. */
export const APP_LABEL = { app: 'streamspace-session' } as const;
/** The label by which pods and objects name their session; the selector of its Deployment and Service. */
export const SESSION_LABEL = 'session';
/** On pods: which pod template they were made from, so that a pod of the one before is not taken for the new one. */
export const REVISION_LABEL = 'cloudoptim.io/revision';

const VALID = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const MOST = 63;

/** The text if it can be the value of a label, else what is left of it and a hash, so that two texts never become one value. */
export function labelValue(raw: string): string {
  if (raw.length <= MOST && VALID.test(raw)) return raw;
  const slug = raw
    .replace(/[^-A-Za-z0-9_.]+/g, '-')
    .slice(0, MOST - 9)
    .replace(/^[-_.]+|[-_.]+$/g, '');
  return `${slug || 'x'}-${digest(raw, 8)}`;
}

/** The first characters of a hash over any JSON value. */
export function digest(value: unknown, length: number): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, length);
}

/** What is known of a session before it is made. */
interface Identified {
  readonly metadata: Pick<Session['metadata'], 'name'>;
  readonly spec?: Pick<SessionRequest, 'user' | 'templateRef' | 'templateName'> | undefined;
}

/** What its template is called; a backend that hands out whole templates can still say that. */
export function templateNameOf({ spec }: Pick<Identified, 'spec'>): string {
  return spec?.templateRef?.name ?? spec?.templateName ?? 'inline';
}

/** The labels of everything that belongs to the session, and the annotations with what had to be changed to be a label. */
export function identityOf({ metadata, spec }: Identified) {
  const raw = { user: spec?.user ?? '', template: templateNameOf({ spec }) };
  const changed = Object.entries(raw).filter(([, value]) => labelValue(value) !== value);
  return {
    labels: {
      ...APP_LABEL,
      [SESSION_LABEL]: metadata.name,
      user: labelValue(raw.user),
      template: labelValue(raw.template),
      'app.kubernetes.io/managed-by': 'cloudoptim-operator',
    },
    annotations: Object.fromEntries(changed.map(([key, value]) => [`cloudoptim.io/${key}`, value])),
  };
}
