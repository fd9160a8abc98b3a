import { createHash, randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { ApiError, ApiUnreachable } from '../../operator/kube/error.ts';
import { forwardPort } from '../cluster/forwards.ts';
import { freePort } from '../cluster/free-port.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { forwarderOf, startTarget } from './forwarders.ts';

const MB = 1024 * 1024;
const { signal } = new AbortController();
let namespace: string;
let node: string;

beforeAll(async () => {
  const corner = await tenant('forward');
  namespace = corner.namespace;
  node = (await corner.createNodes(1))[0] as string;
});

interface MadePod {
  namespace: string;
  name: string;
  uid: string;
}

/** A running pod whose port 5900 leads to the given port of this machine, as soon as kwok has heard of it. */
async function podTo(name: string, port: number): Promise<MadePod> {
  await forwardPort(controlPlane, { namespace, name }, 5900, port);
  return runPod(name);
}

async function runPod(name: string): Promise<MadePod> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const spec = { nodeName: node, containers: [{ name: 'main', image: 'example.invalid/none' }] };
  const { metadata } = await controlPlane.api.create<{ metadata: { uid: string } }>(path, { metadata: { name }, spec });
  const phase = async () => (await controlPlane.api.get<{ status: { phase: string } }>(`${path}/${name}`)).status.phase === 'Running';
  await waitFor(phase, { what: `pod ${name} runs` });
  return { namespace, name, uid: metadata.uid };
}

const opened = (pod: MadePod, port = 5900, forwarder = forwarderOf(controlPlane.kubeconfig), until = signal) =>
  forwarder.open(pod, port, until);

/** Why the stream ended. */
async function failure(stream: Duplex): Promise<Error | null> {
  stream.resume();
  if (!stream.closed) await new Promise((resolve) => stream.once('close', resolve));
  return stream.errored;
}

test('10 MB go both ways in any pieces and come back as they went', async () => {
  const target = await startTarget((socket) => socket.pipe(socket));
  const stream = await opened(await podTo('echo', target.port));
  const sent = randomBytes(10 * MB);
  const came = createHash('sha256');
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    came.update(chunk);
    length += chunk.length;
  });
  for (let at = 0; at < sent.length; ) {
    const chunk = sent.subarray(at, at + randomInt(1, 200_000));
    at += chunk.length;
    if (!stream.write(chunk)) await once(stream, 'drain');
  }
  await waitFor(() => length === sent.length, { within: 30_000, what: 'all is back' });
  expect(came.digest('hex')).toBe(createHash('sha256').update(sent).digest('hex'));
  stream.end();
  expect(await failure(stream)).toBeNull();
});

test('a reader that does not read holds back the pod, and loses nothing', async () => {
  const flood = 96 * MB;
  const target = await startTarget((socket) => {
    const block = Buffer.alloc(64 * 1024, 'x');
    let left = flood / block.length;
    const more = () => {
      while (left > 0) {
        left -= 1;
        if (!socket.write(block)) return void socket.once('drain', more);
      }
    };
    more();
  });
  const stream = await opened(await podTo('flood', target.port));
  const written = () => [...target.sockets][0]?.bytesWritten ?? 0;
  let before = -1;
  const stands = () => {
    const same = written() === before && before > 0;
    before = written();
    return same;
  };
  await waitFor(stands, { within: 30_000, every: 300, what: 'the pod has to wait' });
  expect(written()).toBeLessThan(flood / 2);
  expect(stream.readableLength).toBeLessThan(MB);
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
  });
  await waitFor(() => length === flood, { within: 30_000, what: 'all has come' });
  stream.destroy();
});

test('a pod that does not read holds back the writer', async () => {
  const target = await startTarget((socket) => socket.pause());
  const stream = await opened(await podTo('deaf', target.port));
  const block = Buffer.alloc(MB);
  let taken = 0;
  const write = (): unknown =>
    stream.write(block, (error) => {
      taken += 1;
      if (!error) write();
    });
  write();
  let before = -1;
  const stands = () => {
    const same = taken === before;
    before = taken;
    return same;
  };
  await waitFor(stands, { within: 30_000, every: 500, what: 'the writer has to wait' });
  expect(stream.writableLength).toBeLessThanOrEqual(2 * MB);
  stream.destroy();
});

test('nobody listens in the pod: the error names pod and cause', async () => {
  const pod = await podTo('refused', await freePort());
  // It may come while it opens, or after that.
  const why = (port: number) => opened(pod, port).then(failure, (error: Error) => error);
  const refused = new RegExp(`^port 5900 of pod ${namespace}/refused: .*connection refused`);
  const named = async () => {
    const error = await why(5900);
    return error && refused.test(error.message);
  };
  await waitFor(named, { what: 'kwok knows where the port leads' });
  expect((await why(5901))?.message).toMatch(/^port 5901 of pod .*: error forwarding port 5901/);
});

test('only the incarnation that is meant is reached', async () => {
  const target = await startTarget((socket) => socket.pipe(socket));
  const pod = await podTo('namesake', target.port);
  const another = { ...pod, uid: '00000000-0000-0000-0000-000000000000' };
  await expect(opened(another)).rejects.toThrow(
    `port 5900 of pod ${namespace}/namesake: the pod is another one now, ${pod.uid} in place of ${another.uid}`,
  );
  await expect(opened({ ...pod, name: 'nobody' })).rejects.toThrow(`port 5900 of pod ${namespace}/nobody: the pod is gone`);
  expect(target.sockets.size).toBe(0);
});

test('a missing right is named', async () => {
  await controlPlane.api.create(`/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'viewer' } });
  const rbac = `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}`;
  await controlPlane.api.create(`${rbac}/roles`, {
    metadata: { name: 'viewer' },
    rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
  });
  await controlPlane.api.create(`${rbac}/rolebindings`, {
    metadata: { name: 'viewer' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'viewer' },
    subjects: [{ kind: 'ServiceAccount', name: 'viewer', namespace }],
  });
  const forwarder = forwarderOf(await controlPlane.serviceAccountKubeconfig(namespace, 'viewer'));
  const target = await startTarget((socket) => socket.pipe(socket));
  const pod = await podTo('forbidden', target.port);
  const may = (verbs: string[]) =>
    controlPlane.api.patch(`${rbac}/roles/viewer`, {
      rules: [
        { apiGroups: [''], resources: ['pods'], verbs: ['get'] },
        { apiGroups: [''], resources: ['pods/portforward'], verbs: ['patch', ...verbs] },
      ],
    });
  const refused = () => opened(pod, 5900, forwarder).catch((error: unknown) => error);
  const needs = 'the operator may not get and create pods/portforward there: apply the Role cloudoptim-operator-vnc of config/rbac-vnc';
  for (const [verbs, why] of [
    [[], ': User ".*" cannot get resource "pods/portforward" in .*'],
    // The API server asks for create itself, and does not say so.
    [['get'], ''],
  ] as const) {
    await may([...verbs]);
    const expected = new RegExp(`^port 5900 of pod ${namespace}/forbidden: pods "forbidden" is forbidden${why}; ${needs}$`);
    const named = async () => {
      const error = await refused();
      return error instanceof ApiError && error.status === 403 && expected.test(error.message);
    };
    await waitFor(named, { what: `refused with ${verbs}` });
  }
  await may(['get', 'create']);
  const stream = await waitFor(() => opened(pod, 5900, forwarder).catch(() => undefined), { what: 'it may' });
  stream.end();
  expect(await failure(stream)).toBeNull();
});

test('the proxy of the kubeconfig is used', async () => {
  const asked: string[] = [];
  const proxy = createServer().on('connect', (request: IncomingMessage, client: Duplex) => {
    asked.push(request.url ?? '');
    const upstream = connect(controlPlane.port, '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    upstream.on('error', () => client.destroy()).pipe(client);
    client.on('error', () => upstream.destroy()).pipe(upstream);
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void proxy.close());
  const { port } = proxy.address() as AddressInfo;
  const forwarder = forwarderOf(controlPlane.kubeconfig, ['"cluster": {', `"cluster": { "proxy-url": "http://127.0.0.1:${port}",`]);
  const target = await startTarget((socket) => socket.pipe(socket));
  const stream = await opened(await podTo('proxied', target.port), 5900, forwarder);
  stream.write('hello');
  expect(String((await once(stream, 'data'))[0])).toBe('hello');
  stream.destroy();
  // Once for the reads of the pod, and once for the port.
  expect(asked).toEqual(Array(2).fill(`127.0.0.1:${controlPlane.port}`));
});

test('an API server that is away is unreachable', async () => {
  const url = `https://127.0.0.1:${await freePort()}`;
  const forwarder = forwarderOf(controlPlane.kubeconfig, [controlPlane.url, url]);
  await expect(opened({ namespace, name: 'a', uid: 'b' }, 5900, forwarder)).rejects.toThrow(ApiUnreachable);
});
