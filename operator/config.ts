import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { controlPlaneProblems, IGNORED_VARIABLES, sessionNamespace } from './config-sessions.ts';
import type { Setting } from './config-setting.ts';
import { type SettingName, type SettingValues, settings } from './config-table.ts';

/** What the command line and the environment ask for. */
export type Invocation = { readonly kind: 'help' | 'version'; readonly text: string } | { readonly kind: 'run'; readonly config: Config };

/** The checked configuration of one process. */
export interface Config extends Omit<SettingValues, 'NAMESPACE'> {
  readonly version: string;
  /** The namespace of all Sessions. */
  readonly NAMESPACE: string;
  /** What was accepted and is not as its author may think, one sentence each. */
  readonly warnings: readonly string[];
}

/** All that is wrong with the configuration at once, each line naming the variable, what it must look like and an example. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Where the namespace of a pod is written when the downward API was not asked for it. */
const SERVICE_ACCOUNT_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** Reads flags (which win) and the environment; throws ConfigError with every problem. The only reader of `process.env`. */
export function readInvocation(args: readonly string[], env: Readonly<Record<string, string | undefined>>, version: string): Invocation {
  const { asked, flags, problems, warnings } = readFlags(args);
  if (asked === 'help') return { kind: 'help', text: helpText() };
  if (asked === 'version') return { kind: 'version', text: version };
  const given: Record<string, string | undefined> = { POD_NAMESPACE: serviceAccountNamespace() };
  // An empty variable is an absent one: manifests often map a missing key to "".
  for (const name of names()) given[name] = flags.get(name) ?? (env[name]?.trim() || given[name]);
  const values: Record<string, unknown> = {};
  for (const name of names()) {
    const parsed = (settings[name] as Setting).schema.safeParse(given[name]);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(problem(name, given[name]));
  }
  problems.push(...missingTogether(given), ...controlPlaneProblems(given));
  if (problems.length > 0) throw new ConfigError(['Configuration validation failed:', ...problems.map((line) => `  - ${line}`)].join('\n'));
  const config = values as SettingValues;
  warnings.push(...warningsOf(config, env));
  return { kind: 'run', config: { ...config, NAMESPACE: sessionNamespace(given, config.POD_NAMESPACE), version, warnings } };
}

function warningsOf({ HEALTH_CHECK_INTERVAL: interval }: SettingValues, env: Readonly<Record<string, string | undefined>>): string[] {
  const ignored = Object.entries(IGNORED_VARIABLES).filter(([name]) => env[name]?.trim());
  const warnings = ignored.map(([name, why]) => `${name} ${why}`);
  if (interval && interval.asked !== interval.used)
    warnings.push(`HEALTH_CHECK_INTERVAL: ${interval.asked} s is not possible, heartbeats go out every ${interval.used} s`);
  return warnings;
}

function names(): readonly SettingName[] {
  return Object.keys(settings) as SettingName[];
}

function flagOf(name: SettingName): string {
  return (settings[name] as Setting).flag ?? name.toLowerCase().replaceAll('_', '-');
}

function readFlags(args: readonly string[]) {
  const flags = new Map<SettingName, string>();
  const problems: string[] = [];
  const warnings: string[] = [];
  const named = new Map(names().map((name) => [flagOf(name), name]));
  const options = {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
    ...Object.fromEntries(
      [...named].map(([flag, name]) => [flag, { type: (settings[name] as Setting).isSwitch ? 'boolean' : 'string' }] as const),
    ),
  } as const;
  let asked: 'help' | 'version' | undefined;
  // Not strict, because that ends at the first problem.
  for (const token of parseArgs({ args: [...args], options, strict: false, tokens: true }).tokens) {
    // Not shown, because it may be the value of a flag that does not exist, such as a key.
    if (token.kind === 'positional') problems.push(`argument ${token.index + 1} belongs to no flag; --help lists all flags`);
    if (token.kind !== 'option') continue;
    const name = named.get(token.name);
    if (token.name === 'help' || token.name === 'version') asked ??= token.name;
    else if (name === undefined) problems.push(`${token.rawName}: there is no such flag; --help lists all flags`);
    else readFlag(name, token);
  }
  return { asked, flags, problems, warnings };

  function readFlag(name: SettingName, { rawName, value }: { readonly rawName: string; readonly value?: string | undefined }): void {
    const { secret, isSwitch, example }: Setting = settings[name];
    const visible = 'because everyone on the machine can see flags';
    if (secret === true) problems.push(`${rawName}: set the variable instead, ${visible}`);
    else if (value === undefined && !isSwitch) problems.push(`${rawName}: has no value; for example ${rawName}=${example}`);
    else flags.set(name, value ?? 'true');
    if (secret === 'flag too') warnings.push(`${rawName}: better set ${name} or the Secret, ${visible}`);
  }
}

function problem(name: SettingName, value: string | undefined): string {
  const setting: Setting = settings[name];
  const shown = setting.secret ? 'the given value' : JSON.stringify(withoutUser(value));
  return `${name}: ${shown} is not ${setting.shape}; for example ${name}=${setting.example}`;
}

/** A URL may carry a password. */
function withoutUser(value: string | undefined): string | undefined {
  return value?.replace(/(?<=:\/\/|^).*@/s, '[redacted]@');
}

/** A backend needs to know which cluster speaks; the ConfigMap of seed 003 may say it, so only a half-given environment is wrong. */
function missingTogether(given: Readonly<Record<string, string | undefined>>): string[] {
  if (!given.CENTRAL_SERVER_URL || given.CLUSTER_ID) return [];
  const { shape, example } = settings.CLUSTER_ID;
  return [
    `CLUSTER_ID: missing beside CENTRAL_SERVER_URL; set it to the id the backend knows this cluster by, ${shape}; for example CLUSTER_ID=${example}`,
  ];
}

function serviceAccountNamespace(): string | undefined {
  try {
    return readFileSync(SERVICE_ACCOUNT_NAMESPACE, 'utf8').trim() || undefined;
  } catch {
    return undefined;
  }
}

function helpText(): string {
  const lines = names().map((name) => {
    const setting: Setting = settings[name];
    const flag = setting.secret === true ? '(no flag: a key must not be visible in the process list)' : `--${flagOf(name)}`;
    return `  ${name}  ${flag}\n      ${setting.about}\n      ${setting.shape}; for example ${setting.example}`;
  });
  return [
    'cloudoptim-operator: runs the commands of cost optimizers as OptimizationActions.',
    '',
    'Usage: cloudoptim-operator [flags]',
    '',
    'The cluster is that of $KUBECONFIG, of ~/.kube/config, or of the pod’s ServiceAccount, in this order.',
    'Settings come from flags, then from the environment, then from the ConfigMap cloudoptim-client-config:',
    '',
    ...lines,
    '',
    '  --help, -h   this text',
    '  --version    the version',
  ].join('\n');
}
