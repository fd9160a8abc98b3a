import { z } from 'zod';

// As Go reads them: null is the same as absent, unknown members are ignored, a wrong type voids the whole.
const text = z.string().nullish();
const whole = z.int().nullish();
const capacity = z.looseObject({ maxSessions: whole, cpu: text, memory: text, storage: text }).nullish();

/** The body of a registration. */
export const registration = z.looseObject({
  agentId: z.string().min(3).max(100),
  platform: z.enum(['kubernetes', 'docker', 'vm', 'cloud']),
  region: z.string().min(2).max(50).nullish(),
  capacity,
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

/** The body of an HTTP heartbeat. */
export const httpHeartbeat = z.looseObject({ status: z.enum(['online', 'draining']), activeSessions: whole });

const NANOSECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/;

/** A message of an agent. */
export const envelope = z.looseObject({
  type: z.string(),
  timestamp: z
    .string()
    .refine((value) => NANOSECONDS.test(value) && !Number.isNaN(Date.parse(value)), { message: 'is not RFC 3339' })
    .nullish(),
  payload: z.unknown().optional(),
});

/** What the messages of an agent carry, by type. */
export const payloads = {
  heartbeat: z.looseObject({ status: text, activeSessions: whole, capacity }),
  ack: z.looseObject({ commandId: z.string().min(1) }),
  complete: z.looseObject({ commandId: z.string().min(1), result: z.record(z.string(), z.unknown()).nullish() }),
  failed: z.looseObject({ commandId: z.string().min(1), error: text }),
  status: z.looseObject({
    sessionId: z.string().min(1),
    state: z.string(),
    vncReady: z.boolean().nullish(),
    vncPort: whole,
    platformMetadata: z.record(z.string(), z.unknown()).nullish(),
  }),
  vnc_data: z.looseObject({ sessionId: z.string().min(1), data: z.string() }),
  vnc_close: z.looseObject({ sessionId: z.string().min(1), reason: text }),
  vnc_ready: z.looseObject({ sessionId: z.string().min(1), vncPort: whole, podName: text }),
  vnc_error: z.looseObject({ sessionId: z.string().min(1), error: text }),
} as const;

/** A status report. */
export type StatusPayload = z.output<typeof payloads.status>;

/** The time as the server writes it: up to 9 digits, trailing zeros cut, sometimes with an offset. */
export function serverTime(now = Date.now()): string {
  const digits = `${String(now % 1000).padStart(3, '0')}${String(Math.floor(Math.random() * 1e6)).padStart(6, '0')}`.replace(/0+$/, '');
  const fraction = digits === '' ? '' : `.${digits}`;
  if (Math.random() < 0.5) return `${new Date(now).toISOString().slice(0, 19)}${fraction}Z`;
  return `${new Date(now + 7_200_000).toISOString().slice(0, 19)}${fraction}+02:00`;
}

/** The first thing that is wrong with a value, for people. */
export function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'payload'}: ${issue?.message}`;
}

/** Whether the first thing that is wrong is a type, which the real one finds while it reads JSON. */
export function isOfType(error: z.ZodError): boolean {
  return error.issues[0]?.code === 'invalid_type';
}
