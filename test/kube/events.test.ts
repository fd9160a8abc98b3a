import { beforeAll, expect, test } from 'vitest';
import { EventRecorder } from '../../operator/kube/events.ts';
import type { KubeObject } from '../../operator/kube/object.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { clientOf, clientOfConfig } from './clients.ts';
import { json, plainConfig, startStub } from './stub-server.ts';

interface Event {
  readonly metadata: { readonly name: string };
  readonly involvedObject: object;
  readonly reason: string;
  readonly message: string;
  readonly type: string;
}

let namespace: string;

beforeAll(async () => {
  namespace = (await tenant('events')).namespace;
});

const about = (name: string, uid = `uid-${name}`): KubeObject => ({
  apiVersion: 'cloudoptim.io/v1alpha1',
  kind: 'OptimizationAction',
  metadata: { name, namespace, uid, resourceVersion: '7' },
});

/** The Events about one object, as kubectl finds them. */
async function eventsAbout(name: string, where = namespace): Promise<Event[]> {
  const selector = encodeURIComponent(`involvedObject.name=${name}`);
  return (await controlPlane.api.get<{ items: Event[] }>(`/api/v1/namespaces/${where}/events?fieldSelector=${selector}`)).items;
}

const note = { type: 'Warning', reason: 'Blocked', message: 'the budget web allows none' } as const;
const fails = (reason: string) => expect.unreachable(reason);

test('an Event says what happened to which object', async () => {
  const recorder = new EventRecorder(clientOf(controlPlane), 'pod-1', fails);
  recorder.record(about('one'), note);
  await recorder.flush();
  expect(await eventsAbout('one')).toEqual([
    expect.objectContaining({
      ...note,
      count: 1,
      reportingInstance: 'pod-1',
      source: { component: 'cloudoptim-operator' },
      involvedObject: expect.objectContaining({ kind: 'OptimizationAction', name: 'one', uid: 'uid-one', namespace }),
    }),
  ]);
});

test('the same said again, also by the next process, is one Event; something else, or of a namesake, is another', async () => {
  for (let process = 0; process < 2; process++) {
    const recorder = new EventRecorder(clientOf(controlPlane), `pod-${process}`, fails);
    for (let n = 0; n < 3; n++) recorder.record(about('again'), note);
    recorder.record(about('again'), { ...note, message: 'the budget web allows one' });
    recorder.record(about('again', 'uid-of-another'), note);
    await recorder.flush();
  }
  expect(await eventsAbout('again')).toHaveLength(3);
});

test('a long message is cut, and a long name where a name may end', async () => {
  const recorder = new EventRecorder(clientOf(controlPlane), 'pod-1', fails);
  const long = `${'n'.repeat(198)}-.${'n'.repeat(40)}`;
  recorder.record(about(long), { ...note, message: 'm'.repeat(5000) });
  await recorder.flush();
  const [event] = await eventsAbout(long);
  expect(event?.message).toBe('m'.repeat(1024));
});

test('an Event about an object without a namespace goes to the default one', async () => {
  const recorder = new EventRecorder(clientOf(controlPlane), 'pod-1', fails);
  const node = `node-of-${namespace}`;
  recorder.record({ apiVersion: 'v1', kind: 'Node', metadata: { name: node, uid: node, resourceVersion: '1' } }, note);
  await recorder.flush();
  expect(await eventsAbout(node, 'default')).toHaveLength(1);
});

test('an Event that cannot be written is lost, told, and holds up nothing', async () => {
  const { url, close } = await startStub(() => {});
  close();
  const lost: string[] = [];
  const recorder = new EventRecorder(clientOfConfig(plainConfig(url)), 'pod-1', (reason) => lost.push(reason));
  recorder.record(about('lost'), note);
  await recorder.flush();
  expect(lost).toEqual([expect.stringMatching(/ECONNREFUSED/)]);
  recorder.record(about('lost'), note);
  await recorder.flush();
  expect(lost).toHaveLength(2);
  await recorder.flush();
});

test('more than can wait are told as lost, in order the others are written one after another', async () => {
  const lost: string[] = [];
  let [underWay, most] = [0, 0];
  const { client, heard } = await startStub((_, response) => {
    underWay++;
    most = Math.max(most, underWay);
    setImmediate(() => {
      underWay--;
      json(response, 201, {});
    });
  });
  const recorder = new EventRecorder(client, 'pod-1', (reason) => lost.push(reason));
  for (let n = 0; n < 300; n++) recorder.record(about('many'), { ...note, message: String(n) });
  await recorder.flush();
  const messages = heard.map(({ body }) => (JSON.parse(body) as Event).message);
  expect(messages).toEqual(Array.from({ length: 257 }, (_, n) => String(n)));
  expect([lost.length, most]).toEqual([300 - 257, 1]);
});
