import { expect, test } from 'vitest';
import { identityOf, labelValue } from '../../operator/sessions/labels.ts';
import { claimOf, deploymentOf, serviceOf } from '../../operator/sessions/objects.ts';
import { session, workload } from './sessions.ts';

interface Made {
  metadata: { labels: Record<string, string>; annotations: Record<string, string>; ownerReferences?: object[] };
  spec: {
    template: { metadata: { labels: Record<string, string> }; spec: Record<string, unknown> & { containers: Record<string, unknown>[] } };
  };
}

const deployment = (made = session(), template = workload()) => deploymentOf(made, template, 1) as unknown as Made;
const container = (...args: Parameters<typeof deployment>) => deployment(...args).spec.template.spec.containers[0] ?? {};

test('4.2 the Deployment has the names, labels and selector of the reference agent, and is owned by the Session', () => {
  expect(deployment()).toMatchObject({
    metadata: {
      name: 'ada',
      namespace: 'desks',
      labels: {
        app: 'streamspace-session',
        session: 'ada',
        user: 'ada',
        template: 'firefox',
        'app.kubernetes.io/managed-by': 'cloudoptim-operator',
      },
      ownerReferences: [{ apiVersion: 'cloudoptim.io/v1alpha1', kind: 'Session', name: 'ada', uid: 'u1', controller: true }],
    },
    spec: {
      replicas: 1,
      strategy: { type: 'Recreate' },
      selector: { matchLabels: { session: 'ada' } },
      template: {
        metadata: { labels: { app: 'streamspace-session', session: 'ada' } },
        spec: {
          automountServiceAccountToken: false,
          securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: 'session',
              image: 'example.com/desk',
              resources: { requests: { cpu: '1', memory: '2Gi' }, limits: { cpu: '1', memory: '2Gi' } },
              securityContext: { allowPrivilegeEscalation: false },
              readinessProbe: { tcpSocket: { port: 3000 } },
            },
          ],
        },
      },
    },
  });
  expect(deployment().spec.template.spec).not.toHaveProperty('volumes');
});

test('the Service leads to the pods of the session, and the claim has no owner', () => {
  expect(serviceOf(session(), workload())).toMatchObject({
    spec: { selector: { session: 'ada' }, ports: [{ port: 3000, targetPort: 3000 }] },
  });
  const claim = claimOf(session({ spec: { home: { enabled: true } } }), workload());
  expect(claim).toMatchObject({
    metadata: { name: 'ada-home', labels: { app: 'streamspace-session', session: 'ada' } },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '10Gi' } } },
  });
  expect(claim?.spec).not.toHaveProperty('storageClassName');
  expect(claim?.metadata).not.toHaveProperty('ownerReferences');
  expect(claimOf(session(), workload())).toBeUndefined();
});

test('the home is as the template says, but for what the session says itself', () => {
  const template = workload({ home: { size: '5Gi', storageClassName: 'slow', accessMode: 'ReadWriteMany', retain: 'AfterTTL' } });
  expect(claimOf(session({ spec: { home: { enabled: true, storageClassName: 'fast' } } }), template)).toMatchObject({
    metadata: { annotations: { 'cloudoptim.io/retain': 'AfterTTL' } },
    spec: { accessModes: ['ReadWriteMany'], resources: { requests: { storage: '5Gi' } }, storageClassName: 'fast' },
  });
});

test('variables of the template win, keep where they are read from, and are sorted', () => {
  const secretKeyRef = { name: 'tokens', key: 'ada' };
  const env = [{ name: 'TZ', value: 'Europe/Vienna' }, { name: 'TOKEN', value: 'ignored', valueFrom: { secretKeyRef } }, { name: 'A' }];
  expect(container(session({ spec: { sessionID: 'Ada@1' } }), workload({ env })).env).toEqual([
    { name: 'A', value: '' },
    { name: 'PGID', value: '1000' },
    { name: 'PUID', value: '1000' },
    { name: 'SESSION_ID', value: 'Ada@1' },
    { name: 'TOKEN', valueFrom: { secretKeyRef } },
    { name: 'TZ', value: 'Europe/Vienna' },
    { name: 'USER', value: 'ada' },
  ]);
  const reversed = workload({ env: env.toReversed() });
  expect(deployment(session(), reversed).spec.template.metadata.labels).toEqual(
    deployment(session(), workload({ env })).spec.template.metadata.labels,
  );
});

test.each([
  [{}, { allowPrivilegeEscalation: false }],
  [{ runAsNonRoot: true }, { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }],
  [{ runAsNonRoot: true, allowPrivilegeEscalation: true }, { allowPrivilegeEscalation: true }],
  [{ readOnlyRootFilesystem: true }, { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true }],
])('what the container may with %j is %j', (securityContext, expected) => {
  expect(container(session(), workload({ securityContext })).securityContext).toEqual(expected);
});

const HOME = { spec: { home: { enabled: true } } };
const mounts = (made: Parameters<typeof container>[0], volumeMounts: { name: string; mountPath: string }[] | undefined) => {
  const { containers, volumes = [] } = deployment(made, workload(volumeMounts ? { volumeMounts } : {})).spec.template.spec;
  const names = (containers[0]?.volumeMounts ?? []) as { name: string; mountPath: string }[];
  return [
    names.map(({ name, mountPath }) => `${name}:${mountPath}`),
    (volumes as { emptyDir?: object }[]).map((each) => (each.emptyDir ? 'empty' : 'claim')),
  ];
};

test.each([
  ['at /config by default', HOME, undefined, [['user-home:/config'], ['claim']]],
  ['where the template says', HOME, [{ name: 'user-home', mountPath: '/home/ada' }], [['user-home:/home/ada'], ['claim']]],
  [
    'also where the template forgets it',
    HOME,
    [{ name: 'tmp', mountPath: '/tmp' }],
    [
      ['user-home:/config', 'tmp:/tmp'],
      ['claim', 'empty'],
    ],
  ],
  ['not over something else', HOME, [{ name: 'cache', mountPath: '/config' }], [['cache:/config'], ['empty']]],
  ['as an empty directory where there is none', {}, [{ name: 'user-home', mountPath: '/config' }], [['user-home:/config'], ['empty']]],
])('the home is mounted %s', (_, made, volumeMounts, expected) => {
  expect(mounts(session(made), volumeMounts)).toEqual(expected);
});

test.each([
  ['ada', 'ada'],
  ['Ada.Lovelace_1', 'Ada.Lovelace_1'],
  ['ada@example.com', /^ada-example\.com-[0-9a-f]{8}$/],
  ['-ada-', /^ada-[0-9a-f]{8}$/],
  ['', /^x-[0-9a-f]{8}$/],
  ['…', /^x-[0-9a-f]{8}$/],
  ['a'.repeat(64), /^a{54}-[0-9a-f]{8}$/],
])('as a label %s is %s', (raw, value) => {
  expect(labelValue(raw)).toMatch(value);
  expect(labelValue(raw)).toMatch(/^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/);
});

test('what had to be changed to be a label stands in an annotation; a template written inline has the name that the spec says', () => {
  const made = session({ spec: { user: 'ada@x', templateRef: undefined, templateName: 'fire fox' } });
  expect(identityOf(made).annotations).toEqual({ 'cloudoptim.io/user': 'ada@x', 'cloudoptim.io/template': 'fire fox' });
  expect(identityOf(session({ spec: { templateRef: undefined } })).labels.template).toBe('inline');
});
