import { readFileSync } from 'node:fs';
import { type LogFields, makeLogs } from '../../operator/observe/logger.ts';

/** One entry to log. */
export interface Entry {
  readonly level?: 'debug' | 'info' | 'warn' | 'error';
  readonly component?: string;
  readonly fields?: LogFields;
  /** Becomes the field `err`: an error cannot be sent as JSON. */
  readonly error?: { readonly message: string; readonly members?: object };
  readonly message: string;
  /** Set before the entry is logged. */
  readonly setLevel?: string;
}

/** What a run of this file logs. */
export interface Script {
  readonly options: Parameters<typeof makeLogs>[0];
  readonly entries: readonly Entry[];
}

/** Logs what standard input says to standard output, as the operator does. */
function main(): void {
  const { options, entries } = JSON.parse(readFileSync(0, 'utf8')) as Script;
  const logs = makeLogs(options);
  // Made before any change of the level, as the operator makes them.
  const components = new Map(entries.map(({ component = 'test' }) => [component, logs.component(component)]));
  for (const { level = 'info', component = 'test', fields = {}, error, message, setLevel } of entries) {
    if (setLevel) logs.setLevel(setLevel);
    const err = error ? { err: Object.assign(new Error(error.message), error.members) } : {};
    components.get(component)?.[level]({ ...fields, ...err }, message);
  }
}

main();
