import { SESSIONS, type Session } from '../../operator/api/session.ts';
import { objectPath } from '../../operator/kube/resources.ts';
import { waitFor } from '../cluster/wait-for.ts';
import type { Stage } from './stage.ts';
import { NAMESPACE } from './view.ts';

const NAME = 'sessions.cloudoptim.io/ada-firefox';

const template = `apiVersion: cloudoptim.io/v1alpha1
kind: SessionTemplate
metadata: { name: firefox, namespace: ${NAMESPACE} }
spec: { image: example.invalid/firefox, vnc: { port: 3000 }, securityContext: { runAsNonRoot: true } }
`;

const session = (name: string, of: string) => `apiVersion: cloudoptim.io/v1alpha1
kind: Session
metadata: { name: ${name}, namespace: ${NAMESPACE} }
spec: { user: ada, templateRef: { name: ${of} } }
`;

/** A session by hand: it starts, hibernates, wakes, and one that cannot start says why. */
export async function keepASession({ cp, teller }: Stage): Promise<void> {
  const waits = (what: string) => teller.kubectl(cp, ['wait', NAME, '-n', NAMESPACE, `--for=${what}`, '--timeout=30s']);
  const applied = await teller.kubectl(cp, ['apply', '-f', '-'], { input: `${template}---\n${session('ada-firefox', 'firefox')}` });
  const ready = await waits('condition=Ready');
  const started = await get(cp, 'ada-firefox');
  teller.saw(`the session runs at ${started.status?.url}`, applied.code === 0 && ready.code === 0 && started.status?.phase === 'Running');
  for (const state of ['Hibernated', 'Running']) {
    await teller.kubectl(cp, ['patch', NAME, '-n', NAMESPACE, '--type=merge', '-p', JSON.stringify({ spec: { state } })]);
    const reached = await waits(`jsonpath={.status.phase}=${state}`);
    const { stdout } = await cp.kubectl(['get', 'pods', '-n', NAMESPACE, '-l', 'session=ada-firefox', '-o', 'name']);
    const pods = stdout.trim() === '' ? 0 : stdout.trim().split('\n').length;
    teller.saw(`${state}, with ${pods} pods`, reached.code === 0 && pods === (state === 'Running' ? 1 : 0));
  }
  await teller.kubectl(cp, ['apply', '-f', '-'], { input: session('ada-gimp', 'gimp') });
  const stuck = await waitFor(async () => reasonOf(await get(cp, 'ada-gimp')), { what: 'the second session says why it does not start' });
  await teller.kubectl(cp, ['get', 'sessions.cloudoptim.io', '-n', NAMESPACE]);
  teller.saw('the second one says what it waits for', stuck === 'TemplateMissing', stuck);
}

function get(cp: Stage['cp'], name: string): Promise<Session> {
  return cp.api.get<Session>(objectPath({ resource: SESSIONS, namespace: NAMESPACE, name }));
}

function reasonOf({ status }: Session): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
}
