import { z } from 'zod';
import { parseQuantity } from '../../kube/quantity.ts';
import { containerName, LABEL_KEY, labelKey, namespaceName, objectName, quantity, timeoutSeconds, withRules } from '../params.ts';

const MOST_CONTAINERS = 32;
const MOST_RESOURCES = 16;

/** What can stand in the way of an update and be overridden, by the name that `ignore` has for it. */
const GUARDS = ['HorizontalPodAutoscaler', 'ScaledObject', 'VerticalPodAutoscaler', 'GitOps', 'Controller', 'RolloutInProgress'] as const;

function amounts(description: string) {
  return z
    .record(labelKey('The name of a resource.'), quantity('An amount of the resource.'))
    .meta({ maxProperties: MOST_RESOURCES, description })
    .optional();
}

const container = withRules(
  z.object({
    name: containerName('Name of the container in the pod template; init containers are not changed. Required.'),
    image: z
      .string()
      .min(1)
      .max(1024)
      .regex(/^[^\s]+$/, 'must be an image reference without blanks')
      .describe('The image it gets. Default: the one it has.')
      .optional(),
    requests: amounts('Requests by resource, such as cpu: 250m; those not named here stay. Default: none changes.'),
    limits: amounts('Limits by resource, such as memory: 1Gi; those not named here stay. Default: none changes.'),
  }),
  [
    {
      rule: 'has(self.image) || (has(self.requests) && size(self.requests) > 0) || (has(self.limits) && size(self.limits) > 0)',
      message: 'image, requests or limits must say what to change in the container',
      field: 'image',
      holds: ({ image, requests = {}, limits = {} }) => image !== undefined || Object.keys({ ...requests, ...limits }).length > 0,
    },
    ...(['requests', 'limits'] as const).flatMap((field) => [
      {
        rule: `!has(self.${field}) || self.${field}.all(key, size(key) <= 317 && key.matches('^${LABEL_KEY}$'))`,
        message: `every key of ${field} must be the name of a resource such as cpu or example.com/gpu`,
        field,
        // The keys of a record are checked by its own schema.
        holds: () => true,
      },
      {
        rule: `!has(self.${field}) || size(self.${field}) <= ${MOST_RESOURCES}`,
        message: `at most ${MOST_RESOURCES} ${field}`,
        field,
        holds: (each: Amounts) => Object.keys(each[field] ?? {}).length <= MOST_RESOURCES,
      },
    ]),
    {
      rule:
        '!has(self.requests) || !has(self.limits) || self.requests.all(key, !(key in self.limits) || ' +
        'quantity(self.requests[key]).compareTo(quantity(self.limits[key])) <= 0)',
      message: 'a request must not be larger than the limit of the same resource',
      field: 'requests',
      holds: ({ requests = {}, limits = {} }) => Object.entries(requests).every(([key, amount]) => isWithin(amount, limits, key)),
    },
  ],
);

/** The parameters of UpdateWorkload. */
export const params = withRules(
  z.object({
    kind: z.enum(['Deployment', 'StatefulSet']).describe('Kind of the workload: Deployment or StatefulSet. Required.'),
    namespace: namespaceName('Namespace of the workload. Required.'),
    name: objectName('Name of the workload. Required.'),
    replicas: z
      .int32()
      .min(0)
      .meta({ format: 'int32', description: 'How many replicas it gets, through /scale. Default: as many as it has.' })
      .optional(),
    expectedReplicas: z
      .int32()
      .min(0)
      .meta({
        format: 'int32',
        description: 'How many replicas it must have before; with any other number it is left alone. Default: any.',
      })
      .optional(),
    containers: z
      .array(container.describe('What changes in one container of the pod template.'))
      .max(MOST_CONTAINERS)
      .default([])
      .describe(`What changes in the containers of the pod template, at most ${MOST_CONTAINERS}. Default: nothing.`),
    ignore: z
      .array(z.enum(GUARDS))
      .max(GUARDS.length)
      .default([])
      .describe(
        'What must not keep it from the update: an autoscaler or GitOps tool that may write other values again, a controller that owns it, ' +
          'another rollout under way. Default: each of them does, and nothing is written.',
      ),
    timeoutSeconds: timeoutSeconds(600),
  }),
  [
    {
      rule: 'has(self.replicas) || (has(self.containers) && size(self.containers) > 0)',
      message: 'replicas or containers must say what to change',
      field: 'containers',
      holds: ({ replicas, containers }) => replicas !== undefined || containers.length > 0,
    },
    {
      rule: '!has(self.expectedReplicas) || has(self.replicas)',
      message: 'expectedReplicas is compared only where replicas says how many there are to be',
      field: 'expectedReplicas',
      holds: ({ replicas, expectedReplicas }) => expectedReplicas === undefined || replicas !== undefined,
    },
    {
      rule: '!has(self.containers) || self.containers.all(a, self.containers.exists_one(b, a.name == b.name))',
      message: 'a container can be named only once',
      field: 'containers',
      holds: ({ containers }) => new Set(containers.map(({ name }) => name)).size === containers.length,
    },
  ],
);

/** What UpdateWorkload is asked to do. */
export type Request = z.output<typeof params>;

/** One of the guards that `ignore` can name. */
export type GuardName = (typeof GUARDS)[number];

interface Amounts {
  readonly requests?: Readonly<Record<string, string>> | undefined;
  readonly limits?: Readonly<Record<string, string>> | undefined;
}

function isWithin(request: string, limits: Readonly<Record<string, string>>, key: string): boolean {
  const limit = Object.hasOwn(limits, key) ? limits[key] : undefined;
  return limit === undefined || parseQuantity(request) <= parseQuantity(limit);
}
