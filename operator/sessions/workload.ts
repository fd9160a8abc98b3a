import { z } from 'zod';
import { parseDuration } from '../api/duration.ts';
import type { Session } from '../api/session.ts';
import { type SessionTemplate, type SessionWorkload, sessionWorkload } from '../api/session-template.ts';
import type { KubeObject } from '../kube/object.ts';
import type { Seconds } from '../lib/next.ts';
import { RETAIN, WORKLOAD } from './objects.ts';

const START_DEADLINE: Seconds = 300;

/** What a session runs, or why that is not known. */
export type Resolved =
  | { readonly workload: SessionWorkload }
  | { readonly workload?: undefined; readonly reason: 'TemplateMissing' | 'TemplateInvalid'; readonly message: string };

/** What the session runs when it starts or wakes now: its own template, or the one that it names as it stands. */
export function resolveWorkload(session: Session, template: SessionTemplate | undefined): Resolved {
  const { templateRef, template: inline } = session.spec ?? {};
  if (inline) return { workload: inline };
  const name = templateRef?.name ?? '';
  if (!template) {
    const message = `there is no SessionTemplate ${name} in the namespace ${session.metadata.namespace ?? ''}; it starts as soon as there is one`;
    return { reason: 'TemplateMissing', message };
  }
  const parsed = sessionWorkload.safeParse(template.spec);
  if (parsed.success) return { workload: parsed.data };
  const words = z.prettifyError(parsed.error).replaceAll('\n', ' ');
  return { reason: 'TemplateInvalid', message: `the SessionTemplate ${name} is not valid: ${words}` };
}

/** What the Deployment was made from; undefined where it does not tell. */
export function keptWorkload(session: Session, deployment: KubeObject | undefined): SessionWorkload | undefined {
  const kept = deployment?.metadata.annotations?.[WORKLOAD];
  if (session.spec?.template) return session.spec.template;
  if (kept === undefined) return undefined;
  try {
    const parsed = sessionWorkload.safeParse(JSON.parse(kept));
    return parsed.success ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

/** How long its start or wake may take. */
export function startDeadline({ startDeadline: text = '' }: SessionWorkload): Seconds {
  return parseDuration(text) ?? START_DEADLINE;
}

/** What becomes of its home; where the template that would say is gone, as its claim says, and else it stays. */
export function retentionOf(session: Session, workload: SessionWorkload | undefined, claim: KubeObject | undefined) {
  const kept = claim?.metadata.annotations?.[RETAIN];
  return session.spec?.home?.retain ?? workload?.home?.retain ?? kept ?? 'Always';
}
