import { expect, test } from 'vitest';
import { podRequests, type RawRequester } from '../../operator/kube/requests.ts';

const Mi = 2 ** 20;
const asks = (cpu?: string, memory?: string) => ({ requests: { ...(cpu && { cpu }), ...(memory && { memory }) } });
const main = { name: 'main', resources: asks('500m', '256Mi') };
const infeasible = [{ type: 'PodResizePending', reason: 'Infeasible' }];

/** Each row was compared with `PodRequests` of k8s.io/component-helpers 0.36, as kube-scheduler 1.36 calls it. */
const rows: readonly (readonly [what: string, pod: RawRequester, cpuMillicores: number, memoryMi: number])[] = [
  ['nothing at all', {}, 0, 0],
  ['no requests', { spec: { containers: [{ name: 'main' }, { name: 'other', resources: {} }] } }, 0, 0],
  ['containers are added', { spec: { containers: [main, { name: 'other', resources: asks('100m', '64Mi') }] } }, 600, 320],
  ['one resource alone', { spec: { containers: [{ name: 'main', resources: asks(undefined, '64Mi') }] } }, 0, 64],
  [
    'a small init container is covered',
    { spec: { containers: [main], initContainers: [{ name: 'i', resources: asks('100m', '1Mi') }] } },
    500,
    256,
  ],
  [
    'the largest init container counts, by resource',
    {
      spec: {
        containers: [main],
        initContainers: [
          { name: 'a', resources: asks('2', '1Mi') },
          { name: 'b', resources: asks('1', '1Gi') },
        ],
      },
    },
    2000,
    1024,
  ],
  [
    'a sidecar runs beside the containers',
    {
      spec: { containers: [main], initContainers: [{ name: 's', restartPolicy: 'Always', resources: asks('100m', '64Mi') }] },
    },
    600,
    320,
  ],
  [
    'an init container after a sidecar runs beside it',
    {
      spec: {
        containers: [main],
        initContainers: [
          { name: 's', restartPolicy: 'Always', resources: asks('200m', '64Mi') },
          { name: 'i', resources: asks('600m', '64Mi') },
        ],
      },
    },
    800,
    320,
  ],
  [
    'an init container before a sidecar runs alone',
    {
      spec: {
        containers: [main],
        initContainers: [
          { name: 'i', resources: asks('600m', '64Mi') },
          { name: 's', restartPolicy: 'Always', resources: asks('200m', '64Mi') },
        ],
      },
    },
    700,
    320,
  ],
  ['overhead comes on top', { spec: { containers: [main], overhead: { cpu: '250m', memory: '120Mi' } } }, 750, 376],
  [
    'pod-level requests stand in for the sum',
    { spec: { containers: [main], resources: asks('2', '1Gi'), overhead: { cpu: '50m' } } },
    2050,
    1024,
  ],
  ['pod-level for one resource only', { spec: { containers: [main], resources: asks('2') } }, 2000, 256],
  ['a pod-level request of 0 is one', { spec: { containers: [main], resources: asks('0') } }, 0, 256],
  ['a pod-level limit without request is none', { spec: { containers: [main], resources: { requests: null } } }, 500, 256],
  [
    'resizing down: what is allocated still counts',
    {
      spec: { containers: [main] },
      status: {
        containerStatuses: [{ name: 'main', resources: asks('1', '256Mi'), allocatedResources: { cpu: '500m', memory: '512Mi' } }],
      },
    },
    1000,
    512,
  ],
  [
    'resizing up: what is asked counts already',
    {
      spec: { containers: [main] },
      status: {
        containerStatuses: [{ name: 'main', resources: asks('100m', '128Mi'), allocatedResources: { cpu: '100m', memory: '128Mi' } }],
      },
    },
    500,
    256,
  ],
  [
    'an infeasible resize does not count as asked',
    {
      spec: { containers: [main] },
      status: {
        containerStatuses: [{ name: 'main', resources: asks('100m', '128Mi'), allocatedResources: { cpu: '200m' } }],
        conditions: infeasible,
      },
    },
    200,
    128,
  ],
  [
    'a deferred resize counts as asked',
    {
      spec: { containers: [main] },
      status: {
        containerStatuses: [{ name: 'main', resources: asks('100m') }],
        conditions: [{ type: 'PodResizePending', reason: 'Deferred' }],
      },
    },
    500,
    256,
  ],
  [
    'a status without resources says nothing',
    {
      spec: { containers: [main] },
      status: { containerStatuses: [{ name: 'main', allocatedResources: { cpu: '4' } }], conditions: infeasible },
    },
    500,
    256,
  ],
  [
    'a sidecar is resized likewise',
    {
      spec: { containers: [main], initContainers: [{ name: 's', restartPolicy: 'Always', resources: asks('100m') }] },
      status: { initContainerStatuses: [{ name: 's', resources: asks('300m') }] },
    },
    800,
    256,
  ],
  [
    'an init container is not',
    {
      spec: { containers: [main], initContainers: [{ name: 'i', resources: asks('100m') }] },
      status: { initContainerStatuses: [{ name: 'i', resources: asks('9') }] },
    },
    500,
    256,
  ],
  [
    'pod-level resources are resized too',
    {
      spec: { containers: [main], resources: asks('1', '1Gi') },
      status: { resources: asks('2', '512Mi'), allocatedResources: { memory: '2Gi' } },
    },
    2000,
    2048,
  ],
];

test.each(rows)('%s', (_what, pod, cpuMillicores, memoryMi) => {
  expect(podRequests(pod)).toEqual({ cpuMillicores, memoryBytes: memoryMi * Mi });
});
