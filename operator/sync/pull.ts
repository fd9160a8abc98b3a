import type { Backend, Task } from '../backends/backend.ts';
import type { Seconds } from '../lib/next.ts';
import { orAborted } from '../lib/wait.ts';
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
  readonly onSessionTask: (taskID: string) => void;
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

  /** A task about a session that another agent has left must find its Session; where that, or a record of it, is not to be had, somebody waits for an answer. */
  async function receive(task: Task): Promise<Intake> {
    if (task.sessionID === undefined) return takeIn(task, options, signal);
    const late = AbortSignal.timeout(PATIENCE * 1000);
    const inTime = AbortSignal.any([signal, late]);
    let trouble = 'the Sessions cannot be read: are their CustomResourceDefinitions and their Role installed?';
    try {
      await orAborted(options.sessionsKnown(), inTime);
      trouble = 'the API server does not take it';
      return await takeIn(task, options, inTime);
    } catch (error) {
      signal.throwIfAborted();
      if (!late.aborted) throw error;
      const message = `not recorded within ${PATIENCE} s: ${trouble}`;
      return { kind: 'rejected', ...(task.action ? { action: task.action } : {}), reason: 'NotRecorded', message };
    }
  }

  async function take(task: Task): Promise<void> {
    try {
      if (task.sessionID !== undefined) options.onSessionTask(task.id);
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
      // Its answer is on the way: there is nothing to offer again.
      options.source.accepted?.(task.id);
      options.reporter.answer(rejectionOf(task.id, intake, new Date()), task.sessionID);
      options.onTask(task.id, 'rejected', intake.message);
    } catch (error) {
      // Stopped before it was recorded: nothing was accepted, the backend offers it again.
      if (!signal.aborted) options.onRetry(task.id, error);
    }
  }
}
