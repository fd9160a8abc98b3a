import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sessionWorkload } from '../../../operator/api/session-template.ts';
import { readManifest } from '../../../operator/backends/streamspace/manifest.ts';

const spec = {
  baseImage: 'linuxserver/firefox:latest',
  defaultResources: { cpu: '1000m', memory: '2Gi' },
  ports: [{ name: 'vnc', containerPort: 3000, protocol: 'TCP' }],
  env: [{ name: 'PUID', value: '1000' }],
  volumeMounts: [{ name: 'user-home', mountPath: '/config' }],
  vnc: { enabled: true, port: 3000 },
};
const whole = {
  image: 'linuxserver/firefox:latest',
  resources: { cpu: '1000m', memory: '2Gi' },
  ports: [{ name: 'vnc', containerPort: 3000, protocol: 'TCP' }],
  env: [{ name: 'PUID', value: '1000' }],
  volumeMounts: [{ name: 'user-home', mountPath: '/config' }],
  vnc: { port: 3000 },
};
const manifest = { apiVersion: 'stream.space/v1alpha1', kind: 'Template', metadata: { name: 'firefox' }, spec };

test.each([
  ['as documented', manifest],
  ['as a text', JSON.stringify(manifest)],
  ['the bare spec', spec],
  [
    'capitalised',
    { Spec: Object.fromEntries(Object.entries(spec).map(([name, value]) => [name[0]?.toUpperCase() + name.slice(1), value])) },
  ],
  [
    'capitalised all through',
    JSON.parse(JSON.stringify(manifest).replace(/"([a-z])(\w*)":/g, (_, first, rest) => `"${first.toUpperCase()}${rest}":`)),
  ],
  ['with underscores', { spec: { ...spec, baseImage: undefined, base_image: spec.baseImage } }],
  ['kasmvnc', { spec: { ...spec, vnc: undefined, kasmvnc: spec.vnc } }],
  ['KasmVNC', { spec: { ...spec, vnc: null, KasmVNC: { Enabled: true, Port: '3000' } } }],
  [
    'requests and limits',
    { spec: { ...spec, defaultResources: { requests: spec.defaultResources, limits: { cpu: '4', memory: '8Gi' } } } },
  ],
  ['limits only', { spec: { ...spec, defaultResources: { limits: spec.defaultResources } } }],
  ['ports as texts', { spec: { ...spec, ports: [{ name: 'vnc', containerPort: '3000', protocol: 'tcp' }] } }],
  ['ports without protocol', { spec: { ...spec, ports: [{ name: 'VNC', port: 3000 }] } }],
  ['env as a map', { spec: { ...spec, env: { PUID: 1000 } } }],
])('%s', (_name, form) => {
  expect(readManifest(form)).toEqual({ template: whole, notes: [] });
});

test.each([
  ['nothing', undefined, 0],
  ['null', null, 0],
  ['an empty object', {}, 0],
  ['an empty text', '', 0],
  ['an empty spec', { spec: {} }, 0],
  ['an empty image', { spec: { baseImage: '' } }, 0],
  ['a list', [], 1],
  ['a text that is no JSON', 'x', 1],
  ['an image with a space', { spec: { baseImage: 'a b' } }, 1],
  ['an image that is a number', { spec: { baseImage: 5 } }, 1],
])('%s has no template', (_name, form, notes) => {
  const read = readManifest(form);
  expect(read.template).toBeUndefined();
  expect(read.notes).toHaveLength(notes);
});

describe('what cannot be used is dropped with a note, and the rest stays', () => {
  const member = (extra: object) => readManifest({ spec: { baseImage: 'i', ...extra } });

  test.each([
    ['vnc off', { vnc: { enabled: false, port: 1 } }, {}, []],
    ['vnc port', { vnc: { port: 70_000 } }, {}, ['spec.vnc.port was dropped: "70000" is no port from 1 to 65535']],
    ['vnc a text', { vnc: 'yes' }, {}, ['spec.vnc was dropped: "yes" is no object']],
    [
      'cpu',
      { defaultResources: { cpu: 'lots', memory: '1Gi' } },
      { resources: { memory: '1Gi' } },
      ['spec.defaultResources.cpu was dropped: "lots" is no quantity such as 500m'],
    ],
    ['cpu 0', { defaultResources: { cpu: 0 } }, {}, ['spec.defaultResources.cpu was dropped: "0" is no quantity such as 500m']],
    ['cpu as number', { resources: { cpu: 2 } }, { resources: { cpu: '2' } }, []],
    ['ports no list', { ports: 3000 }, {}, ['spec.ports was dropped: "3000" is no list']],
    [
      'bare ports',
      { ports: [80, '81'] },
      {
        ports: [
          { name: 'port-80', containerPort: 80, protocol: 'TCP' },
          { name: 'port-81', containerPort: 81, protocol: 'TCP' },
        ],
      },
      [],
    ],
    ['SCTP', { ports: [{ containerPort: 1, protocol: 'SCTP' }] }, {}, ['spec.ports[0] was dropped: "SCTP" is neither TCP nor UDP']],
    [
      'a port twice',
      { ports: [80, 80] },
      { ports: [{ name: 'port-80', containerPort: 80, protocol: 'TCP' }] },
      ['spec.ports[1] was dropped: the port 80 is there already'],
    ],
    [
      'a port name twice',
      {
        ports: [
          { name: 'a', port: 1 },
          { name: 'a', port: 2 },
        ],
      },
      {
        ports: [
          { name: 'a', containerPort: 1, protocol: 'TCP' },
          { name: 'port-2', containerPort: 2, protocol: 'TCP' },
        ],
      },
      [],
    ],
    [
      'a long port name',
      { ports: [{ name: 'The_Very-Long Name of it', port: 1 }] },
      { ports: [{ name: 'the-very-long-n', containerPort: 1, protocol: 'TCP' }] },
      [],
    ],
    [
      'env without name',
      { env: [{ value: 'x' }, { name: 'A=B' }, null] },
      {},
      [expect.stringContaining('env[0]'), expect.stringContaining('env[1]'), expect.stringContaining('env[2]')],
    ],
    [
      'env twice',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      },
      { env: [{ name: 'A', value: '1' }] },
      ['spec.env[1] was dropped: the variable A is there already'],
    ],
    [
      'env from a Secret',
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } }] },
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k', optional: true } } }] },
      [],
    ],
    [
      'env from a field',
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name', apiVersion: 'v1' } } }] },
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }] },
      [],
    ],
    ['env from elsewhere', { env: [{ name: 'A', valueFrom: { resourceFieldRef: {} } }] }, {}, [expect.stringContaining('valueFrom of A')]],
    ['env without value', { env: [{ name: 'A' }] }, { env: [{ name: 'A', value: '' }] }, []],
    ['a relative mount', { volumeMounts: [{ name: 'v', mountPath: 'config' }] }, {}, [expect.stringContaining('is no absolute path')]],
    [
      'a mount twice',
      {
        volumeMounts: [
          { name: 'v', mountPath: '/a' },
          { name: 'w', mountPath: '/a' },
        ],
      },
      { volumeMounts: [{ name: 'v', mountPath: '/a' }] },
      [expect.stringContaining('already')],
    ],
    [
      'a subPath that climbs',
      { volumeMounts: [{ name: 'v', mountPath: '/a', subPath: '../x' }] },
      {},
      [expect.stringContaining('subPath')],
    ],
    [
      'a mount in full',
      { volumeMounts: [{ name: 'My_Vol', mountPath: '/a', subPath: 'x/y', readOnly: true }] },
      { volumeMounts: [{ name: 'my-vol', mountPath: '/a', subPath: 'x/y', readOnly: true }] },
      [],
    ],
  ])('%s', (_name, extra, taken, notes) => {
    expect(member(extra)).toEqual({ template: { image: 'i', ...taken }, notes });
  });

  test('too many elements cost one note', () => {
    const { template, notes } = member({ ports: Array.from({ length: 5000 }, (_, index) => index + 1) });
    expect(template?.ports).toHaveLength(16);
    expect(notes).toEqual(['spec.ports was dropped: 4984 of its 5000 elements are too many, 16 are taken']);
  });
});

test('a value as deep as a frame allows is dropped like any other', () => {
  const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const manifest = JSON.parse(`{"spec":{"baseImage":"i","vnc":${deep},"env":[${deep}],"defaultResources":{"cpu":${deep}}}}`);
  expect(readManifest(manifest)).toEqual({
    template: { image: 'i' },
    notes: [
      'spec.vnc was dropped: a list is no object',
      'spec.env[0] was dropped: a list is no object',
      'spec.defaultResources.cpu was dropped: a list is no quantity such as 500m',
    ],
  });
});

describe('whatever comes', () => {
  const names = [
    'spec',
    'Spec',
    'baseImage',
    'image',
    'ports',
    'env',
    'volumeMounts',
    'vnc',
    'kasmvnc',
    'defaultResources',
    'requests',
    'limits',
    'cpu',
    'memory',
    'name',
    'value',
    'valueFrom',
    'secretKeyRef',
    'key',
    'containerPort',
    'port',
    'protocol',
    'mountPath',
    'subPath',
    'enabled',
    '__proto__',
    'toString',
    'toJSON',
  ];
  const leaf = fc.oneof(
    fc.string(),
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('1Gi', '500m', '/a', 'TCP', 'i:1', '3000'),
  );
  const anything = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...names), tie('node'), { maxKeys: 6 }),
    ),
  })).node;

  test('it never throws, and what it reads is a workload that Sessions accept', () => {
    fc.assert(
      fc.property(anything, fc.dictionary(fc.constantFrom(...names), anything), (one, members) => {
        for (const form of [one, { spec: one }, { spec: { ...members, baseImage: 'i' } }]) {
          const { template, notes } = readManifest(form);
          expect(notes.every((note) => typeof note === 'string')).toBe(true);
          if (template !== undefined) expect(sessionWorkload.strict().safeParse(template).error).toBeUndefined();
        }
      }),
      { numRuns: 2000 },
    );
  });
});
