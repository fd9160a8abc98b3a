import { open } from 'node:fs/promises';

/** One line of the audit log, as far as tests ask for it. */
export interface AuditEvent {
  auditID: string;
  stage: string;
  verb: string;
  requestURI: string;
  userAgent?: string;
  user: { username: string; groups?: string[] };
  objectRef?: { resource?: string; subresource?: string; namespace?: string; name?: string; apiGroup?: string };
  responseStatus?: { code: number; reason?: string };
  requestReceivedTimestamp: string;
  stageTimestamp: string;
}

/** Reads a log that grows: each call hands on the complete lines that are new since the one before. */
export function lineTail(path: string): (take: (line: string) => void) => Promise<void> {
  let offset = 0;
  let rest = '';
  let reading: Promise<unknown> = Promise.resolve();
  const read = async (take: (line: string) => void) => {
    await using file = await open(path);
    for (const buffer = Buffer.alloc(1 << 20); ; ) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
      if (bytesRead === 0) return;
      offset += bytesRead;
      const lines = (rest + buffer.toString('latin1', 0, bytesRead)).split('\n');
      // The last line is empty, or still being written.
      rest = lines.pop() ?? '';
      // One that a crash of the API server has cut short is no event.
      for (const line of lines) if (line.startsWith('{') && line.endsWith('}')) take(line);
    }
  };
  return async (take) => {
    const mine = reading.catch(() => {}).then(() => read(take));
    reading = mine;
    await mine;
  };
}

/** A reader of an audit log that grows: each call gives all events so far, and reads what is new only, because tests ask again and again. */
export function auditReader(path: string): () => Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  const tail = lineTail(path);
  return async () => {
    await tail((line) => events.push(JSON.parse(line) as AuditEvent));
    return [...events];
  };
}
