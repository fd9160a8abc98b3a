import pino, { type Logger as Pino } from 'pino';
import { withoutSecrets, withoutSecretTexts } from './redact.ts';

/** The words for severity that seed 003 uses, beside pino's own. */
const LEVELS: Readonly<Record<string, pino.Level>> = { DEBUG: 'debug', INFO: 'info', WARNING: 'warn', ERROR: 'error', CRITICAL: 'fatal' };
const LABELS: Readonly<Record<string, string>> = { debug: 'DEBUG', info: 'INFO', warn: 'WARNING', error: 'ERROR', fatal: 'CRITICAL' };

/** What may stand beside a message; known names are those of seed 003 (optimizer.md section 8, row 26). */
export interface LogFields {
  readonly task_id?: string;
  readonly target?: string;
  readonly duration_seconds?: number;
  readonly [name: string]: unknown;
}

/** A logger of one component. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Makes loggers; all share level and destination. */
export interface Logs {
  component(name: string): Logger;
  /** Changes the level of all; one of DEBUG, INFO, WARNING, ERROR, CRITICAL. */
  setLevel(level: string): void;
}

/**
 * Logs to standard output: JSON lines, or `time - component - LEVEL - message` as seed 003 writes text. Keys and tokens, known by the names
 * of members and by their form inside texts, never reach a line.
 */
export function makeLogs(options: { readonly level: string; readonly format: 'json' | 'text'; readonly clusterID?: string }): Logs {
  const root = pino(
    {
      level: LEVELS[options.level] ?? 'info',
      messageKey: 'message',
      base: options.clusterID ? { cluster_id: options.clusterID } : {},
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: {
        level: (label) => ({ level: LABELS[label] ?? label.toUpperCase() }),
        // The error itself goes through its serializer, which keeps the stack.
        log: ({ err, ...fields }) => ({ ...(withoutSecrets(fields) as object), ...(err === undefined ? {} : { err }) }),
      },
      serializers: { err: (error: Error) => withoutSecrets(pino.stdSerializers.err(error)) },
      hooks: { streamWrite: withoutSecretTexts },
    },
    options.format === 'text' ? textDestination() : pino.destination({ fd: 1, sync: true }),
  );
  const components: Pino[] = [];
  return {
    component: (name) => {
      const child = root.child({ component: name });
      components.push(child);
      return child;
    },
    setLevel: (level) => {
      for (const logger of [root, ...components]) logger.level = LEVELS[level] ?? 'info';
    },
  };
}

function textDestination(): pino.DestinationStream {
  return {
    write: (line) => {
      const { timestamp, component, level, message, cluster_id: _, ...rest } = JSON.parse(line) as Record<string, unknown>;
      const more = Object.keys(rest).length === 0 ? '' : ` ${JSON.stringify(rest)}`;
      // One line is one entry, whatever a backend put into the text.
      const text = String(message).replaceAll('\r', '\\r').replaceAll('\n', '\\n');
      process.stdout.write(`${timestamp} - ${component ?? 'operator'} - ${level} - ${text}${more}\n`);
    },
  };
}
