import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Setting, type SettingName, type SettingValues, settings } from './config-table.ts';

/** What the command line and the environment ask for. */
export type Invocation = { readonly kind: 'help' | 'version'; readonly text: string } | { readonly kind: 'run'; readonly config: Config };

/** The checked configuration of one process. */
export interface Config extends SettingValues {
  readonly version: string;
}

/** All that is wrong with the configuration at once, each line naming the variable, what it must look like and an example. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Where the namespace of a pod is written when the downward API was not asked for it. */
const SERVICE_ACCOUNT_NAMESPACE = '/var/run/secrets/kubernetes.io/serviceaccount/namespace';

/** Reads flags (which win) and the environment; throws ConfigError with every problem. The only reader of `process.env`. */
export function readInvocation(args: readonly string[], env: Readonly<Record<string, string | undefined>>, version: string): Invocation {
  const { asked, flags, problems } = readFlags(args);
  if (asked === 'help') return { kind: 'help', text: helpText() };
  if (asked === 'version') return { kind: 'version', text: version };
  const given: Record<string, string | undefined> = { POD_NAMESPACE: serviceAccountNamespace() };
  // An empty variable is an absent one: manifests often map a missing key to "".
  for (const name of names()) given[name] = flags.get(flagOf(name)) ?? (env[name]?.trim() || given[name]);
  const values: Record<string, unknown> = {};
  for (const name of names()) {
    const parsed = (settings[name] as Setting).schema.safeParse(given[name]);
    if (parsed.success) values[name] = parsed.data;
    else problems.push(problem(name, given[name]));
  }
  problems.push(...missingTogether(given));
  if (problems.length > 0) throw new ConfigError(['Configuration validation failed:', ...problems.map((line) => `  - ${line}`)].join('\n'));
  return { kind: 'run', config: { ...(values as SettingValues), version } };
}

function names(): readonly SettingName[] {
  return Object.keys(settings) as SettingName[];
}

function flagOf(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}

function readFlags(args: readonly string[]) {
  const flags = new Map<string, string>();
  const problems: string[] = [];
  const named = new Map(names().map((name) => [flagOf(name), settings[name] as Setting]));
  const options = {
    help: { type: 'boolean', short: 'h' },
    version: { type: 'boolean' },
    ...Object.fromEntries([...named.keys()].map((flag) => [flag, { type: 'string' }] as const)),
  } as const;
  let asked: 'help' | 'version' | undefined;
  // Not strict, because that ends at the first problem.
  for (const token of parseArgs({ args: [...args], options, strict: false, tokens: true }).tokens) {
    // Not shown, because it may be the value of a flag that does not exist, such as a key.
    if (token.kind === 'positional') problems.push(`argument ${token.index + 1} belongs to no flag; --help lists all flags`);
    if (token.kind !== 'option') continue;
    const setting = named.get(token.name);
    if (token.name === 'help' || token.name === 'version') asked ??= token.name;
    else if (!setting) problems.push(`${token.rawName}: there is no such flag; --help lists all flags`);
    else if (setting.secret) problems.push(`${token.rawName}: set the variable instead, because everyone on the machine can see flags`);
    else if (token.value === undefined) problems.push(`${token.rawName}: has no value; for example --${token.name}=${setting.example}`);
    else flags.set(token.name, token.value);
  }
  return { asked, flags, problems };
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
    const flag = setting.secret ? '(no flag: a key must not be visible in the process list)' : `--${flagOf(name)}`;
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
