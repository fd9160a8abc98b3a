import type { Backend, Task } from '../backends/backend.ts';
import type { Seconds } from '../lib/next.ts';
import { abortable } from '../lib/wait.ts';
import type { UpstreamFacts } from './facts.ts';
import { type Intake, type IntakeOptions, takeIn } from './intake.ts';
import { rejectionOf } from './report-text.ts';
import type { Reporter } from './reporter.ts';

/** Tasks of one upstream that are being recorded at the same time; more wait in the adapter. */
const WIDTH = 16;

/** How long a task may wait to be recorded while the Sessions are not known. */
const PATIENCE: Seconds = 60;

/** What the intake loop of one upstream works with. */
export interface PullOptions extends IntakeOptions {
  readonly source: Backend;
  readonly reporter: Reporter;
  readonly facts: UpstreamFacts;
  /** Resolves when every session there is has its Session. */
  readonly sessionsKnown: () => Promise<void>;
  /** Told of the first task ever: somebody who has just set up the backend is watching. */
  readonly onFirstTask: () => void;
  /** Told of a task about a session before it is recorded. */
  readonly onSessionTask: (sessionID: string) => void;
  readonly onTask: (taskID: string, what: 'created' | 'repeated' | 'rejected', message: string) => void;
}

/**
 * Takes tasks in until the signal ends it: new ones become objects, known ones are answered from theirs, bad ones are reported as failed. One
 * bad or slow task never holds up the rest, and a task that is being taken in is not taken in twice.
 */
export async function pull(options: PullOptions, signal: AbortSignal): Promise<void> {
  const underWay = new Map<string, Promise<void>>();
  for await (const task of options.source.tasks(signal)) {
    if (underWay.has(task.id)) continue;
    const run = take(task).finally(() => underWay.delete(task.id));
    underWay.set(task.id, run);
    if (underWay.size >= WIDTH) await Promise.race(underWay.values());
  }
  await Promise.all(underWay.values());

  /** A task about a session that another agent has left must find its Session; where they cannot be known, somebody waits for an answer. */
  async function receive(task: Task): Promise<Intake> {
    if (task.sessionID !== undefined && !(await isInTime(options.sessionsKnown(), signal))) {
      const message = `the Sessions could not be read for ${PATIENCE} s: are the CustomResourceDefinitions and the Role of sessions installed?`;
      return { kind: 'rejected', ...(task.action ? { action: task.action } : {}), reason: 'SessionsUnknown', message };
    }
    return takeIn(task, options, signal);
  }

  async function take(task: Task): Promise<void> {
    try {
      if (task.sessionID !== undefined) options.onSessionTask(task.sessionID);
      const intake = await receive(task);
      if (intake.kind === 'seen' || intake.kind === 'gone') {
        if (intake.kind === 'seen') {
          if (intake.object.status?.finishedAt === undefined) options.source.accepted?.(task.id);
          options.reporter.repeat(intake.object);
        } else {
          options.reporter.answer(intake.report);
        }
        return options.onTask(task.id, 'repeated', `task ${task.id} was seen before`);
      }
      options.facts.lastTask = new Date();
      if (intake.kind === 'created') {
        options.source.accepted?.(task.id);
        options.facts.received++;
        if (options.facts.received === 1) options.onFirstTask();
        return options.onTask(task.id, 'created', `task ${task.id} is recorded`);
      }
      options.facts.rejected++;
      options.reporter.answer(rejectionOf(task.id, intake, new Date()), task.sessionID);
      options.onTask(task.id, 'rejected', intake.message);
    } catch (error) {
      // Stopped before it was recorded: nothing was accepted, the backend offers it again.
      if (!signal.aborted) options.onRetry(task.id, error);
    }
  }
}

async function isInTime(known: Promise<void>, signal: AbortSignal): Promise<boolean> {
  const end = new AbortController();
  const late = abortable(PATIENCE, AbortSignal.any([signal, end.signal])).then(() => false);
  const inTime = await Promise.race([known.then(() => true), late]);
  end.abort();
  signal.throwIfAborted();
  return inTime;
}
