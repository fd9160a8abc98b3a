import { expect, test } from 'vitest';
import { type Config, ConfigError, readInvocation } from '../operator/config.ts';
import type { Setting } from '../operator/config-setting.ts';
import { settings } from '../operator/config-table.ts';

type Env = Record<string, string>;

/** The configuration that flags and environment make. */
function config(env: Env, args: string[] = []): Config {
  const invocation = readInvocation(args, env, '1.2.3');
  return invocation.kind === 'run' ? invocation.config : expect.unreachable(invocation.text);
}

/** The lines of the error that they make, without the first. */
function problems(env: Env, args: string[] = []): string[] {
  try {
    config(env, args);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message
      .split('\n')
      .slice(1)
      .map((line) => line.trim().replace(/^- /, ''));
  }
  return [];
}

const named = Object.entries(settings) as [keyof typeof settings, Setting][];
const flagOf = (name: keyof typeof settings) => `--${(settings[name] as Setting).flag ?? name.toLowerCase().replaceAll('_', '-')}`;

test('nothing has to be set', () => {
  expect(config({})).toEqual({
    POD_NAMESPACE: 'cloudoptim',
    LEASE_DURATION_SECONDS: 10,
    LOG_FORMAT: 'json',
    DRY_RUN: false,
    HEALTH_CHECK_PORT: 8080,
    SHUTDOWN_GRACE_SECONDS: 25,
    WATCH_SILENCE_SECONDS: 100,
    PLATFORM: 'kubernetes',
    NAMESPACE: 'cloudoptim',
    MAX_SESSIONS: 100,
    MAX_CPU: { told: '100 cores' },
    MAX_MEMORY: { told: '128Gi' },
    RECONNECT_INITIAL_DELAY: 2,
    RECONNECT_MAX_DELAY: 32,
    RECONNECT_MULTIPLIER: 2,
    version: '1.2.3',
    warnings: [],
  });
});

test.each<[string, string, unknown]>([
  ['POD_NAMESPACE', 'team-a', 'team-a'],
  ['POD_NAME', 'operator-5d9c', 'operator-5d9c'],
  ['CLUSTER_ID', 'prod/eu 1'.replace(' ', '_'), 'prod/eu_1'],
  ['AGENT_ID', 'agent', 'agent'],
  ['CENTRAL_API_KEY', 'sk-123', 'sk-123'],
  ['CENTRAL_API_KEY', 'sk-123\n', 'sk-123'],
  ['TASK_POLL_INTERVAL_SECONDS', '10', 10],
  ['TASK_POLL_INTERVAL_SECONDS', '1.5', 1.5],
  ['METRICS_POLL_INTERVAL_SECONDS', '60', 60],
  ['HEARTBEAT_INTERVAL_SECONDS', '86400', 86_400],
  ['DRY_RUN', 'true', true],
  ['DRY_RUN', 'True', true],
  ['DRY_RUN', 'false', false],
  ['DRY_RUN', '1', false],
  ['LOG_LEVEL', 'debug', 'DEBUG'],
  ['LOG_LEVEL', 'Warn', 'WARNING'],
  ['LOG_LEVEL', 'WARNING', 'WARNING'],
  ['LOG_LEVEL', 'critical', 'CRITICAL'],
  ['LOG_FORMAT', 'TEXT', 'text'],
  ['HEALTH_CHECK_PORT', '0', 0],
  ['HEALTH_CHECK_PORT', '65535', 65_535],
  ['SHUTDOWN_GRACE_SECONDS', '1', 1],
  ['WATCH_SILENCE_SECONDS', '3600', 3600],
  ['PRICE_TABLE_FILE', '/etc/prices.yaml', '/etc/prices.yaml'],
])('%s=%j is taken as %j', (name, text, value) => {
  expect(config({ [name]: text })).toHaveProperty([name], value);
});

test.each(['https://central.example.com', 'http://10.0.0.1:8080/base', 'https://[::1]:8443'])('the server may be %s', (url) => {
  expect(config({ CENTRAL_SERVER_URL: url, CLUSTER_ID: 'c' }).CENTRAL_SERVER_URL).toBe(url);
});

test.each<[string, string]>([
  ['POD_NAMESPACE', 'Team_A'],
  ['POD_NAMESPACE', 'a'.repeat(64)],
  ['CLUSTER_ID', 'two words'],
  ['AGENT_ID', 'x'.repeat(254)],
  ['TASK_POLL_INTERVAL_SECONDS', '0'],
  ['TASK_POLL_INTERVAL_SECONDS', 'often'],
  ['TASK_POLL_INTERVAL_SECONDS', '10s'],
  ['TASK_POLL_INTERVAL_SECONDS', 'Infinity'],
  ['METRICS_POLL_INTERVAL_SECONDS', '4'],
  ['HEARTBEAT_INTERVAL_SECONDS', '86401'],
  ['LOG_LEVEL', 'LOUD'],
  ['LOG_FORMAT', 'xml'],
  ['HEALTH_CHECK_PORT', '65536'],
  ['HEALTH_CHECK_PORT', '80.5'],
  ['HEALTH_CHECK_PORT', '-1'],
  ['SHUTDOWN_GRACE_SECONDS', '0'],
  ['WATCH_SILENCE_SECONDS', 'never'],
])('%s=%j is refused, and the error names variable, value, shape and example', (name, value) => {
  const { shape, example } = settings[name as keyof typeof settings];
  expect(problems({ [name]: value })).toEqual([`${name}: ${JSON.stringify(value)} is not ${shape}; for example ${name}=${example}`]);
});

test.each(['central.example.com', 'ftp://central.example.com', 'http://', 'https://me@central.example.com'])(
  'the server may not be %s',
  (url) => {
    expect(problems({ CENTRAL_SERVER_URL: url, CLUSTER_ID: 'c' })).toEqual([expect.stringMatching(/^CENTRAL_SERVER_URL: .* for example /)]);
  },
);

test('a server without a cluster id is an error that tells what to set', () => {
  expect(problems({ CENTRAL_SERVER_URL: 'https://central.example.com' })).toEqual([
    expect.stringMatching(/^CLUSTER_ID: missing beside CENTRAL_SERVER_URL; .*for example CLUSTER_ID=prod-eu-1$/),
  ]);
});

test('all errors come at once, of the environment and of the flags', () => {
  const found = problems({ LOG_LEVEL: 'LOUD', HEALTH_CHECK_PORT: 'x', CENTRAL_SERVER_URL: 'nowhere' }, [
    '--colour=red',
    '--pod-namespace=NOT_GOOD',
    '--agent-id',
    'stray',
    '--size',
  ]);
  expect(found.map((line) => line.split(/[:\s]/, 2)[0]).sort()).toEqual(
    ['--colour', '--size', 'CENTRAL_SERVER_URL', 'CLUSTER_ID', 'HEALTH_CHECK_PORT', 'LOG_LEVEL', 'POD_NAMESPACE'].sort(),
  );
});

test.each<[string, string[], RegExp]>([
  ['an unknown flag', ['--colour=red'], /^--colour: there is no such flag; --help/],
  ['a flag without its value', ['--agent-id'], /^--agent-id: has no value; for example --agent-id=prod-eu-1-agent/],
  ['an argument that belongs to no flag', ['stray'], /^argument 1 belongs to no flag; --help/],
  ['the key as a flag', ['--central-api-key=sk-1'], /^--central-api-key: set the variable instead/],
])('%s is an error', (_, args, message) => {
  expect(problems({}, args)).toEqual([expect.stringMatching(message)]);
});

test.each<[string, Env, string[]]>([
  ['of the wrong shape', { CENTRAL_API_KEY: 'hidden text' }, []],
  ['in the URL', { CENTRAL_SERVER_URL: 'https://me:hidden@central.example.com', CLUSTER_ID: 'c' }, []],
  ['in the URL, with a slash', { CENTRAL_SERVER_URL: 'https://me:a/hidden@central.example.com', CLUSTER_ID: 'c' }, []],
  ['as a flag', {}, ['--central-api-key=hidden']],
  ['as a flag in two words', {}, ['--central-api-key', 'hidden']],
  ['behind a flag that does not exist', {}, ['--key', 'hidden']],
])('a secret %s is refused without being printed', (_, env, args) => {
  const found = problems(env, args);
  expect(found.length).toBeGreaterThan(0);
  expect(found.join('\n')).not.toContain('hidden');
});

test('a flag wins over the variable, and the last of a flag over the others', () => {
  expect(config({ CLUSTER_ID: 'of-env', AGENT_ID: 'of-env' }, ['--cluster-id=first', '--cluster-id', 'last'])).toMatchObject({
    CLUSTER_ID: 'last',
    AGENT_ID: 'of-env',
  });
});

test('a good flag mends a bad variable', () => {
  expect(config({ LOG_FORMAT: 'xml' }, ['--log-format=text']).LOG_FORMAT).toBe('text');
});

test.each(['', '  ', '\n'])('a variable that is %j is absent', (empty) => {
  expect(config(Object.fromEntries(named.map(([name]) => [name, empty])))).toEqual(config({}));
});

test('variables of others are nobody’s business', () => {
  expect(config({ PATH: '/bin', HOME: '/root', CLUSTER: 'x' })).toEqual(config({}));
});

test.each([['--help'], ['-h'], ['--help', '--colour=red']])(
  '%s %s tells every variable with flag, meaning, shape and example',
  (...args) => {
    const invocation = readInvocation(args, { LOG_LEVEL: 'LOUD' }, '1.2.3');
    const text = invocation.kind === 'help' ? invocation.text : expect.unreachable();
    for (const [name, setting] of named) {
      expect(text).toContain(name);
      expect(text).toContain(setting.about);
      expect(text).toContain(`${setting.shape}; for example ${setting.example}`);
      expect(text.includes(`${flagOf(name)}\n`)).toBe(setting.secret !== true);
    }
    expect(text).toContain('--version');
  },
);

test('--version is the version alone, even where the environment is wrong', () => {
  expect(readInvocation(['--version'], { LOG_LEVEL: 'LOUD' }, '1.2.3')).toEqual({ kind: 'version', text: '1.2.3' });
});

test.each(named.filter(([, setting]) => !setting.secret))('the example of %s is a good value, as variable and as flag', (name, setting) => {
  const agent = { AGENT_ID: 'k8s-1', CONTROL_PLANE_URL: 'wss://control.example.com' };
  const beside: Env = name === 'CENTRAL_SERVER_URL' ? { CLUSTER_ID: 'c' } : /CONTROL|REGION|HEALTH_CHECK_I/.test(name) ? agent : {};
  const byVariable = config({ ...beside, [name]: setting.example });
  expect(config(beside, [`${flagOf(name)}=${setting.example}`])).toEqual(byVariable);
  expect(byVariable).toHaveProperty([name]);
});
