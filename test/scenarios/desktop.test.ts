import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type StreamSpaceControlPlane, startStreamSpace } from '../backends/streamspace/server.ts';
import type { Browser } from '../backends/streamspace/vnc.ts';
import { forwardPort } from '../cluster/forwards.ts';
import { startTarget } from '../kube/forwarders.ts';
import type { OperatorProcess } from './operator-process.ts';
import { eventually, useScene } from './scene.ts';
import type { StoredSession } from './session-objects.ts';

const AGENT = 'k8s-desktop';
const GREETING = 'RFB 003.008\n';
const scene = useScene('desktop');
let cp: StreamSpaceControlPlane;
let operator: OperatorProcess;

const textOf = (browser: Browser) => Buffer.concat(browser.received.map((each) => Buffer.from(each, 'base64'))).toString();
const say = (browser: Browser, text: string) => browser.send(Buffer.from(text).toString('base64'));

/** The one session of the scene. */
async function stored(): Promise<StoredSession | undefined> {
  const path = `/apis/cloudoptim.io/v1alpha1/namespaces/${scene.namespace}/sessions`;
  return (await scene.cp.api.get<{ items: StoredSession[] }>(path)).items[0];
}

/** Lets the desktop port of the pod that the session has now lead there. */
async function serveDesktop(desktop: number): Promise<void> {
  const { podName, port } = (await stored())?.status ?? {};
  await forwardPort(scene.cp, { namespace: scene.namespace, name: String(podName) }, Number(port), desktop);
}

async function grantTunnels(): Promise<void> {
  for (const [file, plural] of [
    ['role.yaml', 'roles'],
    ['role-binding.yaml', 'rolebindings'],
  ] as const) {
    const object = parse(await readFile(join(import.meta.dirname, '../../config/rbac-vnc', file), 'utf8'));
    object.metadata.namespace = scene.namespace;
    for (const subject of object.subjects ?? []) subject.namespace = scene.namespace;
    await scene.cp.api.create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${scene.namespace}/${plural}`, object);
  }
}

beforeAll(async () => {
  cp = await startStreamSpace();
  await scene.tenant.createNodes(1);
  await scene.secret('desktops', cp.administrator.add(AGENT));
  await scene.backends.create('desktops', {
    protocol: 'StreamSpace',
    url: cp.url,
    clusterID: AGENT,
    agentID: AGENT,
    credentialsSecretRef: { name: 'desktops' },
    vnc: { enabled: true },
  });
  operator = await scene.operator({ NAMESPACE: scene.namespace });
  await cp.connected(AGENT, 30_000);
  return () => cp.close();
});

test('a user sees the desktop of the session, once the operator may tunnel, and again after a wake', async () => {
  // A VNC server as far as a tunnel can see.
  const target = await startTarget((socket) => {
    socket.write(GREETING);
    socket.on('data', (data) => socket.write(data));
  });
  const id = cp.users.create({ user: 'ada', template: 'firefox' }).session?.id ?? '';
  await cp.state(id, 'running', 30_000);
  const lines = () => operator.log.map((line) => JSON.stringify(line)).join('\n');
  await eventually(lines).toContain('apply the Role cloudoptim-operator-vnc of config/rbac-vnc');
  await grantTunnels();
  await serveDesktop(target.port);
  await cp.waitFor(() => cp.heard.of('vnc_data').length === 1, 'the greeting', 30_000);
  const browser = cp.users.open(id);
  expect(textOf(browser)).toBe(GREETING);
  say(browser, `${GREETING}hello`);
  await cp.waitFor(() => textOf(browser) === `${GREETING}${GREETING}hello`, 'the echo', 10_000);

  cp.users.hibernate(id);
  await cp.waitFor(() => browser.closed, 'the end of the browser', 30_000);
  await cp.state(id, 'hibernated', 30_000);
  cp.users.wake(id);
  await cp.state(id, 'running', 30_000);
  await serveDesktop(target.port);
  const next = cp.users.open(id);
  await cp.waitFor(() => textOf(next) === GREETING, 'the greeting after the wake', 30_000);
});
