import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import type { KubectlOptions, KubectlResult } from '../cluster/kubectl.ts';
import { createNodes } from '../cluster/nodes.ts';
import { startReaper } from '../cluster/reaper.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { createDeployment, createNamespace } from '../cluster/workloads.ts';
import { type OperatorProcess, startOperator } from '../scenarios/operator-process.ts';
import type { Belongings } from './belongings.ts';
import { type Central, startCentral } from './door.ts';
import { colour, type Screen } from './screen.ts';
import { NAMESPACE, View } from './view.ts';

const ROOT = join(import.meta.dirname, '../..');
const SERVICE_ACCOUNT = 'cloudoptim-operator';
const CLUSTER_ID = 'demo-cluster';
const PODS = 12;
const PRICES = 'm6i.2xlarge: { on-demand: 0.384, spot: 0.138 }\n';

/** Everything the demo plays on. */
export interface Stage {
  readonly cp: ControlPlane;
  readonly central: Central;
  readonly operator: OperatorProcess;
  readonly view: View;
  readonly teller: Teller;
}

/** Says what happens, shows what is typed, and stops the demo where something expected did not happen. */
export class Teller {
  readonly #screen: Screen;
  #act = 'the start';

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  /** What is being played, for the message of a failure. */
  get act(): string {
    return this.#act;
  }

  begin(title: string): void {
    this.#act = title;
    this.#screen.say(`\n${colour('bold', title)}`);
  }

  tell(text: string): void {
    this.#screen.say(text);
  }

  /** Something expected has happened; throws where it has not. */
  saw(what: string, happened: boolean, instead = ''): void {
    if (!happened) throw new Error(`expected: ${what}${instead === '' ? '' : `\n  instead: ${instead}`}`);
    this.#screen.say(`${colour('green', '✓')} ${what}`);
  }

  /** Runs kubectl and shows what was typed and what it answered. */
  async kubectl(cp: ControlPlane, args: readonly string[], options: KubectlOptions = {}): Promise<KubectlResult> {
    const typed = ['kubectl', ...args.map(quoted)].join(' ').replaceAll(`${ROOT}/`, '');
    const input = options.input === undefined ? '' : ` <<EOF\n${options.input.trimEnd()}\nEOF`;
    this.#screen.say(colour('cyan', `$ ${typed}${input}`));
    const result = await cp.kubectl(args, options);
    const answer = `${result.stdout}${result.stderr}`.trimEnd();
    if (answer) this.#screen.say(answer);
    return result;
  }
}

/** Starts the control plane; until it is there, an interrupt ends this process at once and nothing stays. */
export async function startCluster(teller: Teller): Promise<ControlPlane> {
  teller.begin('Starting: a control plane, a shop, a backend and the operator');
  const began = performance.now();
  const cp = await startControlPlane();
  teller.saw(`etcd, kube-apiserver, kube-controller-manager, kube-scheduler, and kwok in place of kubelets, in ${since(began)} s`, true);
  return cp;
}

/** Sets up everything else. */
export async function setUp(cp: ControlPlane, belongings: Belongings, screen: Screen, teller: Teller): Promise<Stage> {
  const central = await belongings.own(
    () => startCentral({ clusterID: CLUSTER_ID }),
    ({ backend }) => backend.close(),
  );
  await Promise.all([install(cp, teller), openShop(cp, teller)]);
  const operator = await runOperator(cp, central, belongings, teller);
  const view = new View(cp, central, screen);
  return { cp, central, operator, view, teller };
}

/** What `kubectl apply -k config/default` makes, without the Deployment: its pod would only be played by kwok. */
async function install(cp: ControlPlane, teller: Teller): Promise<void> {
  for (const args of [
    ['apply', '-f', `${ROOT}/config/default/namespace.yaml`],
    ['apply', '-n', NAMESPACE, '-f', `${ROOT}/config/default/service-account.yaml`],
    ['apply', '-k', `${ROOT}/crds`],
    ['apply', '-k', `${ROOT}/config/rbac`],
    ['apply', '-n', NAMESPACE, '-k', `${ROOT}/config/rbac-sessions`],
    [
      'wait',
      '--for=condition=Established',
      '--timeout=30s',
      'crd/optimizationactions.cloudoptim.io',
      'crd/optimizationbackends.cloudoptim.io',
      'crd/sessions.cloudoptim.io',
      'crd/sessiontemplates.cloudoptim.io',
    ],
  ]) {
    const { code, stderr } = await cp.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')} failed: ${stderr.trim()}`);
  }
  teller.saw(`installed crds/, config/rbac, config/rbac-sessions, and the ServiceAccount ${NAMESPACE}/${SERVICE_ACCOUNT}`, true);
}

async function openShop(cp: ControlPlane, teller: Teller): Promise<void> {
  const labels = (capacity: string) => ({ 'node.kubernetes.io/instance-type': 'm6i.2xlarge', 'karpenter.sh/capacity-type': capacity });
  await Promise.all([createNamespace(cp, 'shop'), createNodes(cp, ['worker-1'], { labels: labels('on-demand') })]);
  // While there is no other node, all pods come to this one.
  const requests = { cpu: '500m', memory: '1Gi' };
  await createDeployment(cp, {
    namespace: 'shop',
    name: 'cart',
    replicas: PODS,
    budget: { minAvailable: PODS },
    terminatesAfter: '1s',
    podSpec: { containers: [{ name: 'main', image: 'example.invalid/none', resources: { requests } }] },
  });
  await Promise.all([
    createNodes(cp, ['worker-2', 'worker-3'], { labels: labels('on-demand') }),
    createNodes(cp, ['worker-4'], { labels: labels('spot') }),
  ]);
  teller.saw(`4 nodes; shop/cart runs ${PODS} pods, all on worker-1, and its budget says that all ${PODS} must be available`, true);
}

async function runOperator(cp: ControlPlane, central: Central, belongings: Belongings, teller: Teller): Promise<OperatorProcess> {
  const kubeconfig = await cp.serviceAccountKubeconfig(NAMESPACE, SERVICE_ACCOUNT);
  const folder = await mkdtemp(join(tmpdir(), 'cloudoptim-demo-'));
  // For the case that nobody is left to end the operator.
  const reaper = await belongings.own(
    async () => startReaper(folder),
    (each) => each.close(),
  );
  const prices = join(folder, 'prices.yaml');
  await writeFile(prices, PRICES);
  const env = {
    CENTRAL_SERVER_URL: central.backend.url,
    CENTRAL_API_KEY: central.backend.key,
    CLUSTER_ID,
    TASK_POLL_INTERVAL_SECONDS: '2',
    METRICS_POLL_INTERVAL_SECONDS: '5',
    HEARTBEAT_INTERVAL_SECONDS: '5',
    PRICE_TABLE_FILE: prices,
  };
  const began = performance.now();
  const operator = await belongings.own(
    () => startOperator({ kubeconfig, namespace: NAMESPACE, env }),
    (each) => endOperator(each),
  );
  reaper.add(operator.pid);
  // The backend must have been met: before that, everything is ready that there is.
  await waitFor(async () => (await operator.fetch('/readyz')).body.includes('backend default: ready'), { what: 'the operator is ready' });
  await central.backend.socketOpen();
  teller.saw(`the operator, a process of its own, was ready and connected to the backend after ${since(began)} s`, true);
  const whoever = await cp.kubectl(['auth', 'whoami', '-o', 'jsonpath={.status.userInfo.username}'], { kubeconfig });
  const asked = await cp.kubectl(['auth', 'can-i', 'delete', 'nodes'], { kubeconfig });
  const account = `system:serviceaccount:${NAMESPACE}:${SERVICE_ACCOUNT}`;
  const limited = whoever.stdout === account && asked.stdout.trim() === 'no';
  teller.saw(
    `it is ${account}, bound by config/rbac; may it delete nodes? no`,
    limited,
    `${whoever.stdout} ${asked.stdout}${asked.stderr}`,
  );
  return operator;
}

async function endOperator(operator: OperatorProcess): Promise<void> {
  const late = setTimeout(() => void operator.stop('SIGKILL'), 5000);
  await operator.stop();
  clearTimeout(late);
}

/** Seconds since then, for people. */
export function since(began: number): string {
  return ((performance.now() - began) / 1000).toFixed(1);
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument}'`;
}
