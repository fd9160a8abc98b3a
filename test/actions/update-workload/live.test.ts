import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlPlane, tenant } from '../../cluster/shared.ts';
import type { Tenant } from '../../cluster/tenant.ts';
import { waitFor } from '../../cluster/wait-for.ts';
import { connectLive, type Live } from '../live.ts';
import { type Asked, type Stored, Workloads } from './workloads.ts';

const IMAGE = 'example.invalid/none';
let mine: Tenant;
let live: Live;
let workloads: Workloads;

beforeAll(async () => {
  mine = await tenant('update');
  await mine.createNodes(1);
  live = await connectLive(controlPlane.kubeconfig);
  workloads = new Workloads(mine, live);
});
afterAll(() => live?.[Symbol.asyncDispose]());

const shown = (name: string) => `deployment/${mine.namespace}/${name}`;

describe('replicas', () => {
  it('M16 go through /scale, up and down, and end when the pods are there', async () => {
    await workloads.createDeployment({ name: 'scaled', replicas: 2 });
    const up = await workloads.update('scaled', { replicas: 4, expectedReplicas: 2 });
    expect(up.end).toEqual({
      state: 'succeeded',
      message: `${shown('scaled')}: replicas 2 → 4`,
      result: { changed: true, replicas: { from: 2, to: 4 }, written: ['Replicas'] },
      done: 4,
      total: 4,
    });
    expect(up.passes[0]).toMatchObject({ state: 'running', result: { changed: false, replicas: { from: 2, to: 4 }, written: [] } });
    expect((await workloads.get('scaled')).status).toMatchObject({ replicas: 4, availableReplicas: 4 });
    const down = await workloads.update('scaled', { replicas: 0, expectedReplicas: 4 });
    expect(down.end).toEqual({
      state: 'succeeded',
      message: expect.any(String),
      result: { changed: true, replicas: { from: 4, to: 0 }, written: ['Replicas'] },
      done: 0,
      total: 0,
    });
    expect((await workloads.get('scaled')).status.replicas ?? 0).toBe(0);
    expect(workloads.writes('scaled')).toEqual(Array(2).fill('patch deployments/scale scaled'));
  });

  it('F2 are left alone where they are not as expected, and are done where they are as asked for', async () => {
    await workloads.createDeployment({ name: 'expected', replicas: 2 });
    const { metadata } = await workloads.get('expected');
    expect((await workloads.update('expected', { replicas: 5, expectedReplicas: 3 })).end).toEqual({
      state: 'failed',
      reason: 'UnexpectedReplicas',
      message: `${shown('expected')} has 2 replicas, not the expected 3; nothing was written`,
    });
    expect((await workloads.update('expected', { replicas: 2, expectedReplicas: 3 })).end).toEqual({
      state: 'succeeded',
      message: `${shown('expected')} already is as asked for`,
      result: { changed: false, written: [] },
      done: 2,
      total: 2,
    });
    expect((await workloads.get('expected')).metadata.generation).toBe(metadata.generation);
    expect(workloads.writes('expected')).toEqual([]);
  });

  it('F2 /scale takes a write only under the UID and resource version that were read', async () => {
    await workloads.createDeployment({ name: 'fenced' });
    const { metadata } = await workloads.get('fenced');
    const path = `${workloads.path('fenced')}/scale`;
    const ask = (fence: object) => controlPlane.api.call('PATCH', path, { metadata: fence, spec: { replicas: 3 } });
    expect((await ask({ uid: '7f0c2a9e-4d0b-4f6e-9d3f-1c2b3a4d5e6f', resourceVersion: metadata.resourceVersion })).status).toBe(409);
    await workloads.patch('fenced', { metadata: { labels: { touched: 'yes' } } });
    expect((await ask({ uid: metadata.uid, resourceVersion: metadata.resourceVersion })).status).toBe(409);
    expect((await workloads.get('fenced')).spec.replicas).toBe(1);
  });
});

describe('the pod template', () => {
  it('F12 changes in the named container only, and the pods follow', async () => {
    const sidecar = { name: 'sidecar', image: 'example.invalid/sidecar', resources: { requests: { cpu: '10m' } } };
    const main = { name: 'main', image: IMAGE, resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } } };
    await workloads.createDeployment({
      name: 'image',
      replicas: 2,
      podSpec: { nodeSelector: mine.nodeSelector, containers: [main, sidecar] },
    });
    const asked = { name: 'main', image: 'example.invalid/next', requests: { cpu: '0.2', memory: '65536Ki' }, limits: { cpu: '1' } };
    const { end } = await workloads.update('image', { containers: [asked] });
    expect(end).toMatchObject({
      state: 'succeeded',
      message: `${shown('image')}: main image ${IMAGE} → example.invalid/next, main limits cpu none → 1, main requests cpu 100m → 0.2`,
      done: 2,
      total: 2,
    });
    expect(end.result).toEqual({
      changed: true,
      written: ['Template'],
      containers: {
        main: {
          image: { from: IMAGE, to: 'example.invalid/next' },
          requests: { cpu: { from: '100m', to: '0.2' } },
          limits: { cpu: { from: null, to: '1' } },
        },
      },
    });
    const { spec, status } = await workloads.get('image');
    expect(spec.template.spec.containers).toMatchObject([
      {
        name: 'main',
        image: 'example.invalid/next',
        resources: { requests: { cpu: '200m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
      },
      sidecar,
    ]);
    expect(status).toMatchObject({ replicas: 2, updatedReplicas: 2, availableReplicas: 2 });
    expect(workloads.writes('image')).toEqual(['patch deployments/image']);
  });

  it('names the containers there are where one does not exist', async () => {
    await workloads.createDeployment({ name: 'unknown' });
    expect((await workloads.update('unknown', { replicas: 3, containers: [{ name: 'app', image: 'a:1' }] })).end).toEqual({
      state: 'failed',
      reason: 'ContainerNotFound',
      message: `${shown('unknown')} has no container app; it has main`,
    });
    expect(workloads.writes('unknown')).toEqual([]);
  });

  it('a request above the limit that stays is refused in the words of the API server', async () => {
    await workloads.createDeployment({
      name: 'over',
      podSpec: { nodeSelector: mine.nodeSelector, containers: [{ name: 'main', image: IMAGE, resources: { limits: { cpu: '1' } } }] },
    });
    expect((await workloads.update('over', { containers: [{ name: 'main', requests: { cpu: '2' } }] })).end).toMatchObject({
      state: 'failed',
      reason: 'InvalidSpec',
      message: expect.stringMatching(/must be less than or equal to cpu limit/),
    });
  });

  it('comes before the replicas, which change only when its pods are ready, in new processes as well', async () => {
    await workloads.createDeployment({ name: 'both', replicas: 2 });
    const seen: (string | undefined)[] = [];
    const { end } = await workloads.update(
      'both',
      { replicas: 3, containers: [{ name: 'main', image: 'a:2' }] },
      {
        restart: true,
        after: async (progress) => {
          const written = (progress.result?.written ?? []) as readonly string[];
          if (!written.includes('Replicas')) expect((await workloads.get('both')).spec.replicas).toBe(2);
          seen.push(written.at(-1));
        },
      },
    );
    expect(end).toMatchObject({ state: 'succeeded', done: 3, result: { changed: true, written: ['Template', 'Replicas'] } });
    expect([...new Set(seen)]).toEqual([undefined, 'Template', 'Replicas']);
    expect(workloads.writes('both')).toEqual(['patch deployments/both', 'patch deployments/scale both']);
  });

  it('of a StatefulSet rolls pod by pod; a partition and OnDelete keep pods on the old one, which is told and not waited for', async () => {
    await workloads.createStatefulSet('set', { replicas: 2 });
    const asked = { containers: [{ name: 'main', image: 'a:2' }] };
    const rolled = await workloads.update('set', { ...asked, replicas: 3 }, { kind: 'StatefulSet' });
    expect(rolled.end).toMatchObject({ state: 'succeeded', done: 3, result: { written: ['Template', 'Replicas'] } });
    expect(workloads.writes('set')).toEqual(['patch statefulsets/set', 'patch statefulsets/scale set']);

    await workloads.createStatefulSet('partitioned', { replicas: 3, updateStrategy: { rollingUpdate: { partition: 2 } } });
    expect((await workloads.update('partitioned', asked, { kind: 'StatefulSet' })).end).toMatchObject({
      state: 'succeeded',
      message: expect.stringMatching(/: main image \S+ → a:2; 2 pods kept on the old template \(partition 2\)$/),
      done: 1,
      total: 1,
    });

    await workloads.createStatefulSet('on-delete', { replicas: 1, updateStrategy: { type: 'OnDelete' } });
    expect((await workloads.update('on-delete', asked, { kind: 'StatefulSet' })).end).toMatchObject({
      state: 'succeeded',
      message: expect.stringMatching(/; pods take the new template only when they are deleted \(updateStrategy OnDelete\)$/),
      done: 0,
      total: 1,
    });
  });
});

describe('a rollout that does not end', () => {
  const unschedulable = { containers: [{ name: 'main', requests: { cpu: '1000' } }] };

  it('fails with the reason of the Deployment and what its pods say', async () => {
    await workloads.createDeployment({ name: 'stuck' });
    await workloads.patch('stuck', { spec: { progressDeadlineSeconds: 2 } });
    const { end } = await workloads.update('stuck', unschedulable);
    expect(end).toMatchObject({
      state: 'failed',
      reason: 'ProgressDeadlineExceeded',
      message: expect.stringMatching(
        /: 1 of 1 pod updated, 1 available, 1 old still there; stuck-\S+: Unschedulable: \d+\/\d+ nodes are available/,
      ),
      done: 1,
      total: 1,
      result: { changed: true, written: ['Template'] },
    });
    // Repaired while it is stuck: what it said before counts no more.
    const repair = { containers: [{ name: 'main', requests: { cpu: '1m' } }] };
    expect((await workloads.update('stuck', repair)).end).toMatchObject({ state: 'failed', reason: 'RolloutInProgress' });
    expect((await workloads.update('stuck', { ...repair, ignore: ['RolloutInProgress'] })).end).toMatchObject({ state: 'succeeded' });
  });

  it('fails at its timeout with what is missing', async () => {
    await workloads.createDeployment({ name: 'slow' });
    const { end } = await workloads.update('slow', { ...unschedulable, timeoutSeconds: 2 });
    expect(end).toMatchObject({
      state: 'failed',
      reason: 'Timeout',
      message: expect.stringMatching(/^not done within 2 s: .* 1 old still there; slow-\S+: Unschedulable/),
    });
    const late = { startedAt: new Date(Date.now() - 3_000) };
    expect((await workloads.update('slow', { replicas: 2, timeoutSeconds: 2 }, late)).end).toMatchObject({
      reason: 'Timeout',
      message: 'the timeout of 2 s was over before this was written: replicas 1 → 2',
    });
  });

  it('says what a quota forbids', async () => {
    await workloads.createDeployment({
      name: 'limited',
      podSpec: {
        nodeSelector: mine.nodeSelector,
        containers: [{ name: 'main', image: IMAGE, resources: { requests: { 'example.com/q': '0' }, limits: { 'example.com/q': '0' } } }],
      },
    });
    await controlPlane.api.create(`/api/v1/namespaces/${mine.namespace}/resourcequotas`, {
      metadata: { name: 'q' },
      spec: { hard: { 'requests.example.com/q': '0' } },
    });
    const asked = { name: 'main', requests: { 'example.com/q': '1' }, limits: { 'example.com/q': '1' } };
    const limited = { containers: [asked], timeoutSeconds: 3 };
    await waitFor(
      async () =>
        (await controlPlane.api.get<{ status?: { hard?: object } }>(`/api/v1/namespaces/${mine.namespace}/resourcequotas/q`)).status?.hard,
      { what: 'the quota counts' },
    );
    expect((await workloads.update('limited', limited)).end).toMatchObject({
      reason: 'Timeout',
      message: expect.stringContaining('exceeded quota: q'),
    });
  });
});

describe('somebody else', () => {
  const replace = async (name: string) => {
    await controlPlane.api.remove(workloads.path(name));
    await mine.createDeployment({ name });
  };
  it('who changes other things between read and write is no hindrance', async () => {
    await workloads.createDeployment({ name: 'touched' });
    const touch = async () => void (await workloads.patch('touched', { metadata: { annotations: { at: String(Math.random()) } } }));
    const { end } = await workloads.update('touched', { replicas: 2 }, { after: touch });
    expect(end).toMatchObject({ state: 'succeeded', result: { changed: true } });
  });

  const image = { containers: [{ name: 'main', image: 'a:2' }] };
  const replicas = { replicas: 3 };
  it.each<[what: string, asked: Asked, meddle: (name: string) => Promise<unknown>, end: object]>([
    ['labels it', replicas, (name) => workloads.patch(name, { metadata: { labels: { a: 'b' } } }), { state: 'succeeded' }],
    ['labels it', image, (name) => workloads.patch(name, { metadata: { labels: { a: 'b' } } }), { state: 'succeeded' }],
    ['scales it', replicas, (name) => workloads.patch(name, { spec: { replicas: 2 } }), { state: 'failed', reason: 'Superseded' }],
    ['scales it', image, (name) => workloads.patch(name, { spec: { replicas: 2 } }), { state: 'succeeded' }],
    ['does the same', replicas, (name) => workloads.patch(name, { spec: { replicas: 3 } }), { state: 'succeeded' }],
    ['replaces it', replicas, replace, { state: 'failed', reason: 'TargetReplaced' }],
    ['replaces it', image, replace, { state: 'failed', reason: 'TargetReplaced' }],
    ['deletes it', image, (name) => controlPlane.api.remove(workloads.path(name)), { state: 'failed', reason: 'TargetNotFound' }],
  ])('F2 who %s between read and write of %j', async (_, asked, meddle, end) => {
    const name = `meddled-${Math.random().toString(36).slice(2, 8)}`;
    await workloads.createDeployment({ name });
    expect((await workloads.update(name, asked, { beforeWrite: () => meddle(name) })).end).toMatchObject(end);
    const { status, body } = await controlPlane.api.call<Stored>('GET', workloads.path(name));
    if (status === 404) return;
    const { replicas: has, template } = body.spec;
    const isAsAsked = asked.replicas === undefined ? template.spec.containers[0]?.image === 'a:2' : has === asked.replicas;
    expect(isAsAsked).toBe('reason' in end === false);
  });

  it.each([
    ['before the write', 1, false, []],
    ['after the write', 2, true, ['patch deployments/scale']],
  ])('who changes the same values %s wins', async (when, pass, changed, writes) => {
    const name = `won-${pass}`;
    await workloads.createDeployment({ name });
    let passes = 0;
    const interfere = async () => {
      passes += 1;
      if (passes === pass) await workloads.patch(name, { spec: { replicas: 2 } });
    };
    const { end } = await workloads.update(name, { replicas: 3 }, { after: interfere });
    expect(end, when).toMatchObject({
      state: 'failed',
      reason: 'Superseded',
      message: `${shown(name)} was changed by somebody else: replicas is 2, not 3`,
      result: { changed, replicas: { from: 1, to: 3 } },
    });
    expect(workloads.writes(name)).toEqual(writes.map((line) => `${line} ${name}`));
    expect((await workloads.get(name)).spec.replicas).toBe(2);
  });

  it.each([
    ['TargetReplaced', true],
    ['TargetNotFound', false],
  ])('who deletes it ends the action as %s', async (reason, again) => {
    const name = `deleted-${again}`;
    await workloads.createDeployment({ name });
    const { end } = await workloads.update(
      name,
      { replicas: 3 },
      {
        after: async (progress) => {
          if (progress.state !== 'running' || progress.reason !== 'InProgress') return;
          await controlPlane.api.remove(workloads.path(name));
          if (again) await workloads.createDeployment({ name });
        },
      },
    );
    expect(end).toMatchObject({ state: 'failed', reason });
    expect(workloads.writes(name)).toEqual([]);
  });

  it('who denies the write by policy is quoted', async () => {
    await workloads.createDeployment({ name: 'denied' });
    const policy = `update-${mine.namespace}`;
    const admission = '/apis/admissionregistration.k8s.io/v1';
    await controlPlane.api.create(`${admission}/validatingadmissionpolicies`, {
      metadata: { name: policy },
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: {
          resourceRules: [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['deployments/scale'] }],
        },
        validations: [{ expression: 'object.spec.replicas < 7', message: 'six are enough' }],
      },
    });
    const match = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': mine.namespace } } };
    await controlPlane.api.create(`${admission}/validatingadmissionpolicybindings`, {
      metadata: { name: policy },
      spec: { policyName: policy, validationActions: ['Deny'], matchResources: match },
    });
    const path = `${workloads.path('denied')}/scale?dryRun=All`;
    await waitFor(async () => (await controlPlane.api.call('PATCH', path, { spec: { replicas: 7 } })).status === 422, {
      what: 'the policy speaks',
    });
    const { end } = await workloads.update('denied', { replicas: 7 });
    await controlPlane.api.remove(`${admission}/validatingadmissionpolicybindings/${policy}`);
    await controlPlane.api.remove(`${admission}/validatingadmissionpolicies/${policy}`);
    expect(end).toMatchObject({ state: 'failed', reason: 'WebhookDenied', message: expect.stringContaining('six are enough') });
  });
});
