import { expect, test } from 'vitest';
import { type Config, ConfigError, readInvocation } from '../../operator/config.ts';

type Env = Record<string, string>;

const agent: Env = { AGENT_ID: 'k8s-prod-us-east-1', CONTROL_PLANE_URL: 'wss://control.example.com' };
const KEY = '0123456789abcdefABCDEF0123456789'.repeat(2);

function config(env: Env, args: readonly string[] = []): Config {
  const invocation = readInvocation(args, env, '1');
  return invocation.kind === 'run' ? invocation.config : expect.unreachable();
}

function problems(env: Env, args: readonly string[] = []): string {
  try {
    config(env, args);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  return '';
}

/** The tables of seed 002 and of streamspace.md section 9: flag, variable, value, what becomes of it, and what is without it. */
const TABLE: readonly [flag: string, variable: string, value: string, taken: unknown, fallback: unknown][] = [
  ['--platform', 'PLATFORM', 'kubernetes', 'kubernetes', 'kubernetes'],
  ['--region', 'REGION', 'us-east-1', 'us-east-1', undefined],
  ['--namespace', 'NAMESPACE', 'team-a', 'team-a', 'streamspace'],
  ['--kubeconfig', 'KUBECONFIG', '/home/me/.kube/config', '/home/me/.kube/config', undefined],
  ['--max-cpu', 'MAX_CPU', '100', { told: '100 cores', most: 100_000 }, { told: '100 cores' }],
  ['--max-cpu', 'MAX_CPU', '64 cores', { told: '64 cores', most: 64_000 }, { told: '100 cores' }],
  ['--max-cpu', 'MAX_CPU', '6500m', { told: '6500m', most: 6500 }, { told: '100 cores' }],
  ['--max-memory', 'MAX_MEMORY', '128', { told: '128Gi', most: 128 * 2 ** 30 }, { told: '128Gi' }],
  ['--max-memory', 'MAX_MEMORY', '256Gi', { told: '256Gi', most: 256 * 2 ** 30 }, { told: '128Gi' }],
  ['--max-memory', 'MAX_MEMORY', '128 GB', { told: '128 GB', most: 128e9 }, { told: '128Gi' }],
  ['--max-sessions', 'MAX_SESSIONS', '7', 7, 100],
  ['--heartbeat-interval', 'HEALTH_CHECK_INTERVAL', '15', { asked: 15, used: 15 }, undefined],
  ['--heartbeat-interval', 'HEALTH_CHECK_INTERVAL', '12s', { asked: 12, used: 12 }, undefined],
  ['--heartbeat-interval', 'HEALTH_CHECK_INTERVAL', '1s', { asked: 1, used: 5 }, undefined],
  ['--heartbeat-interval', 'HEALTH_CHECK_INTERVAL', '1m', { asked: 60, used: 30 }, undefined],
  ['--enable-ha', 'ENABLE_HA', 'true', 'true', undefined],
  ['--api-key', 'AGENT_API_KEY', KEY, KEY, undefined],
  ['--pod-name', 'POD_NAME', 'agent-0', 'agent-0', undefined],
  ['--reconnect-initial-delay', 'RECONNECT_INITIAL_DELAY', '1s', 1, 2],
  ['--reconnect-max-delay', 'RECONNECT_MAX_DELAY', '60', 60, 32],
  ['--reconnect-multiplier', 'RECONNECT_MULTIPLIER', '1.5', 1.5, 2],
];

test.each(TABLE)('%s and %s take %j', (flag, variable, value, taken, fallback) => {
  expect(config({ ...agent, [variable]: value })).toHaveProperty([variable], taken);
  expect(config(agent, [`${flag}=${value}`])).toHaveProperty([variable], taken);
  expect(config(agent, [flag, value].slice(0, flag === '--enable-ha' ? 1 : 2))).toHaveProperty([variable], taken);
  expect(config(agent)[variable as keyof Config]).toEqual(fallback);
});

test.each([
  ['--agent-id', 'AGENT_ID', 'k8s-dev-local'],
  ['--control-plane-url', 'CONTROL_PLANE_URL', 'ws://localhost:8000/'],
])('%s and %s take %s', (flag, variable, value) => {
  expect(config({ ...agent, [variable]: value })).toHaveProperty([variable], value);
  expect(config(agent, [`${flag}=${value}`])).toHaveProperty([variable], value);
});

test.each<[string, Env, RegExp]>([
  ['another platform', { PLATFORM: 'docker' }, /PLATFORM: "docker" is not kubernetes, the only platform of this operator/],
  ['a key that is none', { AGENT_API_KEY: 'secret words' }, /AGENT_API_KEY: the given value is not a key of 64 hexadecimal digits/],
  ['CPU that is no number', { MAX_CPU: 'lots' }, /MAX_CPU: "lots" is not a number of cores; for example MAX_CPU=64/],
  ['no CPU at all', { MAX_CPU: '0' }, /MAX_CPU: "0" is not a number of cores/],
  ['memory that is no quantity', { MAX_MEMORY: '12 apples' }, /MAX_MEMORY: "12 apples" is not a number of GiB or a quantity/],
  ['sessions that are no count', { MAX_SESSIONS: '1.5' }, /MAX_SESSIONS: "1.5" is not a whole number/],
  [
    'an interval that is none',
    { HEALTH_CHECK_INTERVAL: 'often' },
    /HEALTH_CHECK_INTERVAL: "often" is not a number of seconds or a duration/,
  ],
  ['a multiplier below 1', { RECONNECT_MULTIPLIER: '0.5' }, /RECONNECT_MULTIPLIER: "0.5" is not a number from 1 to 10/],
  ['an agent id with --', { AGENT_ID: 'a--b' }, /AGENT_ID: "a--b" is not what a control plane of StreamSpace lets connect/],
  ['an agent id that is too short', { AGENT_ID: 'ab' }, /AGENT_ID: "ab" is not what/],
  ['another scheme', { CONTROL_PLANE_URL: 'tcp://control' }, /CONTROL_PLANE_URL: "tcp:\/\/control" is not a ws, wss, http or https URL/],
])('%s is refused', (_, env, message) => {
  expect(problems({ ...agent, ...env })).toMatch(message);
});

test.each<[string, Env, string]>([
  ['a URL without an agent id', { CONTROL_PLANE_URL: 'wss://control.example.com' }, 'AGENT_ID: missing beside CONTROL_PLANE_URL'],
  ['a key alone', { AGENT_API_KEY: KEY }, 'AGENT_ID, CONTROL_PLANE_URL: missing beside AGENT_API_KEY'],
  ['a region without a URL', { AGENT_ID: 'k8s-1', REGION: 'eu' }, 'CONTROL_PLANE_URL: missing beside REGION'],
])('%s is half a control plane: both variables are named', (_, env, message) => {
  const found = problems(env);
  expect(found).toContain(message);
  expect(found).toContain('needs both AGENT_ID and CONTROL_PLANE_URL');
});

test('AGENT_ID alone is that of seed 003', () => {
  expect(config({ AGENT_ID: 'any/thing' })).toMatchObject({ AGENT_ID: 'any/thing', NAMESPACE: 'cloudoptim' });
});

test('what is accepted and not as its author may think is told', () => {
  const { warnings } = config({ ...agent, AGENT_ID_PREFIX: 'p', HEALTH_CHECK_TIMEOUT: '5s', HEALTH_CHECK_INTERVAL: '40' }, [
    `--api-key=${KEY}`,
  ]);
  expect(warnings).toEqual([
    '--api-key: better set AGENT_API_KEY or the Secret, because everyone on the machine can see flags',
    expect.stringMatching(/^AGENT_ID_PREFIX is ignored: /),
    expect.stringMatching(/^HEALTH_CHECK_TIMEOUT is ignored: /),
    'HEALTH_CHECK_INTERVAL: 40 s is not possible, heartbeats go out every 30 s',
  ]);
  expect(warnings.join()).not.toContain(KEY);
});
