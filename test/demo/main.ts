import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { acts } from './acts.ts';
import { Belongings } from './belongings.ts';
import { colour, openScreen, type Screen } from './screen.ts';
import { type Stage, setUp, since, startCluster, Teller } from './stage.ts';
import { NAMESPACE } from './view.ts';

const help = `Usage: node test/demo/main.ts [--help]     (make demo)

Shows the whole product at work: a real Kubernetes control plane on loopback (etcd, kube-apiserver,
kube-controller-manager, kube-scheduler; kwok in place of kubelets), a reference backend that hands out tasks,
and the operator as a process of its own under a ServiceAccount with the generated role. It then stays up, to
be played with, until Ctrl-C. No container engine is needed, and nothing is left behind.

  CI=true      does not stay: ends by itself, with exit code 0 only if everything happened as expected
  NO_COLOR=1   without colours

On a terminal the tables are redrawn in place; elsewhere, and with CI=true, what changed is printed as lines.
The binaries of the control plane are got once: see node test/cluster/main.ts --help.
`;

const READING_MS = 4000;
const LOG_LINES = 20;
const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Plays the demo and resolves with the exit code. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const unattended = process.env.CI === 'true';
  const screen = openScreen(unattended);
  const teller = new Teller(screen);
  const began = performance.now();
  const started = await startCluster(teller);
  // Not listened for earlier: until now an interrupt ends this process at once, and what it has started with it.
  const interrupted = interruption();
  const belongings = new Belongings();
  const over = new AbortController();
  // No kubectl outlives the demo.
  const kubectl: ControlPlane['kubectl'] = (args, options) => started.kubectl(args, { signal: over.signal, ...options });
  const cp = { ...started, kubectl };
  await belongings.own(
    async () => cp,
    () => cp.close(),
  );
  const parts = { cp, belongings, screen, teller, unattended, over: over.signal };
  try {
    const ending = await Promise.race([perform(parts), interrupted]);
    if (typeof ending === 'number') return ending;
    teller.tell(`\nEverything happened as expected, in ${since(began)} s.`);
    if (unattended) return 0;
    teller.tell(invitation(ending));
    // From here on an interrupt is the proper end.
    await interrupted;
    return 0;
  } finally {
    screen.freeze();
    over.abort();
    if (!unattended) process.stdout.write('\nending what was started …\n');
    await belongings.close();
    if (!unattended) process.stdout.write('nothing is left running\n');
  }
}

interface Parts {
  readonly cp: ControlPlane;
  readonly belongings: Belongings;
  readonly screen: Screen;
  readonly teller: Teller;
  readonly unattended: boolean;
  readonly over: AbortSignal;
}

/** Plays all acts; resolves with the stage when everything happened as expected, and with the exit code otherwise. */
async function perform({ cp, belongings, screen, teller, unattended, over }: Parts): Promise<Stage | number> {
  let stage: Stage | undefined;
  try {
    stage = await setUp(cp, belongings, screen, teller);
    void stage.view.follow(over);
    for (const { title, play } of acts) {
      if (!unattended) await sleep(READING_MS);
      teller.begin(title);
      await play(stage);
    }
    if (unattended) await sayGoodbye(stage);
    return stage;
  } catch (error) {
    // A Ctrl-C reaches kubectl and the operator too: what fails because of it is no failure.
    await sleep(200);
    if (!over.aborted) tellFailure(screen, teller.act, error, stage);
    return 1;
  }
}

/** A stopping operator takes its leave of the backend, and ends well. */
async function sayGoodbye({ operator, central, teller }: Stage): Promise<void> {
  teller.begin('8. The operator is stopped');
  const code = await operator.stop();
  const last = central.backend.heard.heartbeats.at(-1)?.body.status;
  teller.saw('it ended with code 0, and its last heartbeat said stopping', code === 0 && last === 'stopping', `code ${code}, ${last}`);
}

function tellFailure(screen: Screen, act: string, error: unknown, stage: Stage | undefined): void {
  const message = error instanceof Error ? error.message : String(error);
  screen.freeze();
  screen.say(`\n${colour('red', '✗')} failed in “${act}”\n  ${message}`);
  const log = stage?.operator.output().trimEnd().split('\n').slice(-LOG_LINES);
  if (log) screen.say(`\nThe last lines of the operator's log:\n${log.join('\n')}`);
}

function invitation({ cp, central }: Stage): string {
  const task = JSON.stringify({ task_id: 'mine-1', task_type: 'cordon_node', parameters: { node_name: 'worker-3' } });
  return [
    colour('bold', 'Go on playing, in another terminal:'),
    `  export KUBECONFIG=${cp.kubeconfig} PATH=${dirname(cp.binaries.kubectl)}:$PATH`,
    `  kubectl get oa -n ${NAMESPACE} -w`,
    `  curl -d '${task}' ${central.backend.url}/tasks`,
    'Send the same task twice: it runs once. Ctrl-C here ends everything.',
  ].join('\n');
}

/** Resolves with the exit code of the first signal; the second one is for those who cannot wait. */
function interruption(): Promise<number> {
  return new Promise((resolve) => {
    let before = false;
    for (const [signal, code] of Object.entries(SIGNALS)) {
      process.on(signal, () => {
        if (before) process.exit(code);
        before = true;
        resolve(code);
      });
    }
  });
}

// A terminal or a pipe that is gone cannot be told anything; the reapers end what is left.
process.stdout.on('error', () => process.exit(1));

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
