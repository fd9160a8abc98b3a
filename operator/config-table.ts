import { z } from 'zod';
import { sessionSettings } from './config-sessions.ts';
import { backendURL, namespaceName, type Setting, seconds } from './config-setting.ts';
import { MAX_LEASE_SECONDS } from './kube/lease.ts';

const identity = z.string().min(1).max(253).regex(/^\S+$/);
const LEVELS = ['DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const;

/** Every setting of the operator. Names of seeds 002 and 003 are kept as they are (streamspace.md section 9, optimizer.md section 6). */
export const settings = {
  POD_NAMESPACE: {
    schema: namespaceName.default('cloudoptim'),
    about: 'The namespace whose OptimizationActions and OptimizationBackends count. Default cloudoptim.',
    shape: 'a namespace name',
    example: 'cloudoptim',
  },
  POD_NAME: {
    schema: z.string().max(253).optional(),
    about: 'The name of the operator’s own pod, which a drain evicts last. Set by the downward API.',
    shape: 'a pod name',
    example: 'cloudoptim-operator-5d9c-x2x7p',
  },
  POD_UID: {
    schema: z.string().max(253).optional(),
    about: 'The UID of that pod: with it, a container that starts again leads again at once. Set by the downward API.',
    shape: 'a UID',
    example: '0b9d2f3e-8c1a-4a57-9f6b-2f0d3a1c5e77',
  },
  CENTRAL_SERVER_URL: {
    schema: backendURL().optional(),
    about:
      'The backend of seed 003; with CLUSTER_ID it makes the OptimizationBackend “default” at the start. Default https://central.cloudoptim.io where only CLUSTER_ID is set.',
    shape: 'an http or https URL without credentials',
    example: 'https://central.example.com',
  },
  CLUSTER_ID: {
    schema: identity.optional(),
    about: 'The id under which that backend knows this cluster.',
    shape: 'up to 253 characters without white space',
    example: 'prod-eu-1',
  },
  AGENT_ID: {
    schema: identity.optional(),
    about:
      'The id under which the operator registers, there and at the control plane of CONTROL_PLANE_URL. Default: the cluster id followed by -agent.',
    shape: 'up to 253 characters without white space',
    example: 'prod-eu-1-agent',
  },
  CENTRAL_API_KEY: {
    schema: z.string().min(1).max(4096).regex(/^\S+$/).optional(),
    about: 'The key of that backend, used while there is no Secret cloudoptim-client-secret; the Secret is watched, this is not.',
    shape: 'a token without white space',
    example: 'the text your backend gave you',
    secret: true,
  },
  TASK_POLL_INTERVAL_SECONDS: {
    schema: seconds(1, 86_400).optional(),
    about: 'Seconds between two questions for tasks. Default 10.',
    shape: 'a number from 1 to 86400',
    example: '10',
  },
  METRICS_POLL_INTERVAL_SECONDS: {
    schema: seconds(5, 86_400).optional(),
    about: 'Seconds between two snapshots of the cluster. Default 60.',
    shape: 'a number from 5 to 86400',
    example: '60',
  },
  HEARTBEAT_INTERVAL_SECONDS: {
    schema: seconds(5, 86_400).optional(),
    about: 'Seconds between two heartbeats. Default 30.',
    shape: 'a number from 5 to 86400',
    example: '30',
  },
  DRY_RUN: {
    schema: z
      .string()
      .default('false')
      .transform((value) => value.toLowerCase() === 'true'),
    about:
      'Whether every action is only planned, whoever asks for it: nothing is changed, status.plan and the results say what would be. What was started before is held. Default false.',
    shape: 'true, in any case; everything else is false',
    example: 'true',
  },
  LOG_LEVEL: {
    schema: z
      .string()
      .toUpperCase()
      .pipe(z.enum([...LEVELS, 'WARN']))
      .transform((level) => (level === 'WARN' ? 'WARNING' : level))
      .optional(),
    about: 'The least severity that is logged. Default INFO.',
    shape: `${LEVELS.join(', ')}, in any case`,
    example: 'INFO',
  },
  LOG_FORMAT: {
    schema: z
      .string()
      .toLowerCase()
      .pipe(z.enum(['json', 'text']))
      .default('json'),
    about: 'How log lines look. Default json.',
    shape: 'json or text',
    example: 'json',
  },
  HEALTH_CHECK_PORT: {
    schema: z.coerce.number().int().min(0).max(65_535).default(8080),
    about: 'The port of /healthz, /readyz, /metrics, /health and /ready; 0 takes a free one and logs it. Default 8080.',
    shape: 'a port number',
    example: '8080',
  },
  SHUTDOWN_GRACE_SECONDS: {
    schema: seconds(1, 3600).default(25),
    about: 'Seconds a stopping operator may take; keep it below terminationGracePeriodSeconds of its pod. Default 25.',
    shape: 'a number from 1 to 3600',
    example: '25',
  },
  LEASE_DURATION_SECONDS: {
    schema: z.coerce.number().int().min(3).max(MAX_LEASE_SECONDS).default(10),
    about:
      'Seconds after which another operator takes over from one that died; one that cannot reach the API server stops acting after two thirds of it. Default 10.',
    shape: `a whole number from 3 to ${MAX_LEASE_SECONDS}`,
    example: '10',
  },
  WATCH_SILENCE_SECONDS: {
    schema: seconds(1, 3600).default(100),
    about:
      'A watch without an event or bookmark for this long is taken for dead; API servers send bookmarks about once a minute. Default 100.',
    shape: 'a number from 1 to 3600',
    example: '100',
  },
  ...sessionSettings,
  PRICE_TABLE_FILE: {
    schema: z.string().min(1).optional(),
    about: 'A YAML or JSON file with USD per hour by instance type, for the costs in snapshots. Default: none, every node costs 0.',
    shape: 'the path of a file',
    example: '/etc/cloudoptim/prices.yaml',
  },
} as const satisfies Record<string, Setting>;

/** The names of all settings. */
export type SettingName = keyof typeof settings;

/** The values of all settings, checked. */
export type SettingValues = { readonly [Name in SettingName]: z.output<(typeof settings)[Name]['schema']> };
