import { z } from 'zod';
import { parseDuration } from './api/duration.ts';
import { STREAM_SPACE_AGENT_ID } from './api/optimization-backend.ts';
import { backendURL, namespaceName, type Setting } from './config-setting.ts';
import { parseBytes, parseMillicores, QuantityError } from './kube/quantity.ts';

/** How much of something sessions may have in sum. */
export interface Ceiling {
  /** What the backend is told, such as `64 cores` or `256Gi`. */
  readonly told: string;
  /** Millicores or bytes; absent where nobody set a ceiling, so that none is kept. */
  readonly most?: number;
}

/** Heartbeats of StreamSpace, in seconds: its control plane gives an agent up after 45 s (streamspace.md 9). */
const HEARTBEAT = { least: 5, most: 30 } as const;

/** `30`, `30s` or `1m30s` in seconds. */
function goDuration(least: number, most: number) {
  return z
    .string()
    .transform((text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : (parseDuration(text) ?? Number.NaN)))
    .pipe(z.number().min(least).max(most));
}

function ceiling(fallback: string, read: (text: string) => Ceiling) {
  return z
    .string()
    .optional()
    .transform((text, context): Ceiling => {
      try {
        return text === undefined ? { told: fallback } : read(text);
      } catch (error) {
        if (!(error instanceof QuantityError)) throw error;
        context.addIssue(error.message);
        return z.NEVER;
      }
    });
}

/** `64`, `64 cores`, `6500m`. */
function readCores(text: string): Ceiling {
  const quantity = text.replace(/\s*cores?$/i, '');
  const most = positive(parseMillicores(quantity), text);
  return { told: /^[\d.]+$/.test(text) ? `${text} cores` : text, most };
}

/** `128` in GiB, `256Gi`, `128 GB`. */
function readMemory(text: string): Ceiling {
  const bare = /^[\d.]+$/.test(text);
  const quantity = bare ? `${text}Gi` : text.replace(/\s+/, '').replace(/(?<=[kKMGTPE]i?)B$/, '');
  return { told: bare ? `${text}Gi` : text, most: positive(parseBytes(quantity), text) };
}

function positive(amount: number, text: string): number {
  if (amount <= 0) throw new QuantityError(`not more than 0: ${JSON.stringify(text)}`);
  return amount;
}

/** The settings of sessions and of the StreamSpace agent of seed 002, whose names are kept as they are (streamspace.md section 9). */
export const sessionSettings = {
  CONTROL_PLANE_URL: {
    schema: backendURL().optional(),
    about:
      'The StreamSpace control plane of seed 002; with AGENT_ID it makes the OptimizationBackend “streamspace” at the start, unless there is one of that protocol.',
    shape: 'a ws, wss, http or https URL without credentials',
    example: 'wss://control.example.com',
  },
  AGENT_API_KEY: {
    schema: z
      .string()
      .regex(/^[0-9a-fA-F]{64}$/)
      .optional(),
    about: 'The key of that control plane, used while there is no Secret streamspace-agent; the Secret is watched, this is not.',
    shape: 'a key of 64 hexadecimal digits',
    example: 'the text that openssl rand -hex 32 prints',
    flag: 'api-key',
    secret: 'flag too',
  },
  PLATFORM: {
    schema: z.literal('kubernetes').default('kubernetes'),
    about: 'The platform that the control plane is told. Default kubernetes, and nothing else can be.',
    shape: 'kubernetes, the only platform of this operator',
    example: 'kubernetes',
  },
  REGION: {
    schema: z.string().min(2).max(50).optional(),
    about: 'The region that the control plane is told. Default: none.',
    shape: 'a text of 2 to 50 characters',
    example: 'us-east-1',
  },
  NAMESPACE: {
    schema: namespaceName.optional(),
    about: 'The namespace of all Sessions. Default: streamspace with AGENT_ID and CONTROL_PLANE_URL, else the operator’s own.',
    shape: 'a namespace name',
    example: 'streamspace',
  },
  KUBECONFIG: {
    schema: z.string().min(1).optional(),
    about: 'The kubeconfig of the cluster. Default: ~/.kube/config, else the pod’s ServiceAccount.',
    shape: 'the path of a file',
    example: '/home/me/.kube/config',
  },
  MAX_SESSIONS: {
    schema: z.coerce.number().int().min(0).max(100_000).default(100),
    about: 'Sessions that may be active at the same time; more are refused or wait. Default 100.',
    shape: 'a whole number from 0 to 100000',
    example: '100',
  },
  MAX_CPU: {
    schema: ceiling('100 cores', readCores),
    about: 'CPU of all active sessions together; the control plane is told 100 cores where this is not set, and no ceiling is kept then.',
    shape: 'a number of cores',
    example: '64',
  },
  MAX_MEMORY: {
    schema: ceiling('128Gi', readMemory),
    about: 'Memory of all active sessions together; the control plane is told 128Gi where this is not set, and no ceiling is kept then.',
    shape: 'a number of GiB or a quantity',
    example: '256Gi',
  },
  HEALTH_CHECK_INTERVAL: {
    schema: goDuration(0, 86_400)
      .transform((asked) => ({ asked, used: Math.min(Math.max(asked, HEARTBEAT.least), HEARTBEAT.most) }))
      .optional(),
    about: `Seconds between two heartbeats to the control plane, from ${HEARTBEAT.least} to ${HEARTBEAT.most}; what is beyond is brought there. Default 10.`,
    shape: 'a number of seconds or a duration such as 10s',
    example: '10s',
    flag: 'heartbeat-interval',
  },
  RECONNECT_INITIAL_DELAY: {
    schema: goDuration(0.1, 3600).default(2),
    about: 'The wait after the first failed attempt to connect to the control plane. Default 2s.',
    shape: 'a number of seconds or a duration, from 0.1s to 1h',
    example: '2s',
  },
  RECONNECT_MAX_DELAY: {
    schema: goDuration(0.1, 3600).default(32),
    about: 'The longest wait between two attempts. Default 32s.',
    shape: 'a number of seconds or a duration, from 0.1s to 1h',
    example: '32s',
  },
  RECONNECT_MULTIPLIER: {
    schema: z.coerce.number().min(1).max(10).default(2),
    about: 'How much longer each wait is than the one before. Default 2.',
    shape: 'a number from 1 to 10',
    example: '2',
  },
  ENABLE_HA: {
    schema: z
      .string()
      .toLowerCase()
      .pipe(z.enum(['true', 'false', '1', '0', 't', 'f']))
      .optional(),
    about: 'Accepted for old manifests: of several replicas one leads and connects, whatever it says.',
    shape: 'true or false',
    example: 'true',
    isSwitch: true,
  },
} as const satisfies Record<string, Setting>;

/** Variables that charts of StreamSpace set and nothing ever read, and what to do about them. */
export const IGNORED_VARIABLES: Readonly<Record<string, string>> = {
  AGENT_ID_PREFIX: 'is ignored: the agent id is AGENT_ID alone, the same for every replica',
  HEALTH_CHECK_TIMEOUT: 'is ignored: a heartbeat has no answer to wait for; a dead connection is noticed after 70 s',
};

/** What is known when the flags and variables of one process are looked at together. */
type Given = Readonly<Record<string, string | undefined>>;

/** Settings that mean something only beside a control plane. */
const OF_CONTROL_PLANE = ['CONTROL_PLANE_URL', 'AGENT_API_KEY', 'REGION', 'HEALTH_CHECK_INTERVAL'];

/** What is wrong with a half-given control plane, one line each. */
export function controlPlaneProblems(given: Given): readonly string[] {
  const cause = OF_CONTROL_PLANE.find((name) => given[name]);
  if (!cause) return [];
  const missing = ['AGENT_ID', 'CONTROL_PLANE_URL'].filter((name) => !given[name]);
  if (missing.length > 0)
    return [
      `${missing.join(', ')}: missing beside ${cause}; a control plane of StreamSpace needs both AGENT_ID and CONTROL_PLANE_URL, for example AGENT_ID=k8s-prod-us-east-1 CONTROL_PLANE_URL=wss://control.example.com`,
    ];
  const id = given.AGENT_ID ?? '';
  if (STREAM_SPACE_AGENT_ID.test(id) && !id.includes('--')) return [];
  return [
    `AGENT_ID: ${JSON.stringify(id)} is not what a control plane of StreamSpace lets connect, 3 to 100 letters, digits, dots, underscores and dashes without --; for example AGENT_ID=k8s-prod-us-east-1`,
  ];
}

/** The namespace of all Sessions. */
export function sessionNamespace(given: Given, own: string): string {
  return given.NAMESPACE ?? (given.AGENT_ID && given.CONTROL_PLANE_URL ? 'streamspace' : own);
}
