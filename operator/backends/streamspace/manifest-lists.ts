import { isObject } from '../transport/json.ts';
import { quote, readPort } from './amounts.ts';
import type { EnvironmentVariable, VolumeMount, Workload } from './manifest.ts';
import { Found, type ReadElement } from './manifest-members.ts';
import { slug } from './names.ts';

type Port = NonNullable<Workload['ports']>[number];

// What a Session takes, as the API server does of pods.
const OBJECT_NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const POD_FIELD = /^(metadata[.](name|namespace|uid)|spec[.](nodeName|serviceAccountName)|status[.](hostIP|podIP))$/;

/** Reads one port after the other: objects, or bare numbers; names that a Service would refuse are made anew. */
export function readPorts(): ReadElement<Port> {
  const names = new Set<string>();
  const numbers = new Set<string>();
  return (element) => {
    const found = isObject(element) ? new Found(element, '') : new Found({ containerPort: element }, '');
    const value = found.value('containerPort') ?? found.value('port');
    const containerPort = readPort(value);
    if (containerPort === undefined) return `${quote(value)} is no port from 1 to 65535`;
    const said = found.value('protocol') ?? '';
    const protocol = said === '' ? 'TCP' : word(said).toUpperCase();
    if (protocol !== 'TCP' && protocol !== 'UDP') return `${quote(said)} is neither TCP nor UDP`;
    if (numbers.has(`${protocol} ${containerPort}`)) return `the port ${containerPort} is there already`;
    const wanted = slug(word(found.value('name')), 15);
    const fallback = `${protocol === 'UDP' ? 'udp' : 'port'}-${containerPort}`;
    const name = /[a-z]/.test(wanted) && !names.has(wanted) ? wanted : fallback;
    if (names.has(name)) return `the name ${name} is there already`;
    names.add(name);
    numbers.add(`${protocol} ${containerPort}`);
    return { name, containerPort, protocol };
  };
}

/** Reads one variable after the other; of two of the same name the first one counts. */
export function readEnv(): ReadElement<EnvironmentVariable> {
  const names = new Set<string>();
  return (element) => {
    if (!isObject(element)) return `${quote(element)} is no object`;
    const found = new Found(element, '');
    const name = found.value('name');
    if (typeof name !== 'string' || !/^[-_a-zA-Z][-._a-zA-Z0-9]{0,252}$/.test(name)) return `${quote(name)} is no name of a variable`;
    if (names.has(name)) return `the variable ${name} is there already`;
    const value = found.value('value');
    const from = found.value('valueFrom');
    const source = from === undefined ? undefined : readSource(from);
    if (from !== undefined && source === undefined) return `valueFrom of ${name} names no key of a Secret or ConfigMap and no field`;
    if (value !== undefined && !['string', 'number', 'boolean'].includes(typeof value)) return `the value of ${name} is no text`;
    const text = String(value ?? '');
    if (text.length > 4096 || !text.isWellFormed() || text.includes('\0')) return `the value of ${name} is longer than 4096 or no text`;
    names.add(name);
    return source === undefined ? { name, value: text } : { name, valueFrom: source };
  };
}

function readSource(from: unknown): EnvironmentVariable['valueFrom'] {
  if (!isObject(from)) return undefined;
  const found = new Found(from, '');
  for (const kind of ['secretKeyRef', 'configMapKeyRef'] as const) {
    const reference = found.object(kind);
    const name = reference?.value('name');
    const key = reference?.value('key');
    if (!matches(name, OBJECT_NAME) || !matches(key, /^[-_a-zA-Z0-9][-._a-zA-Z0-9]*$/)) continue;
    return { [kind]: { name, key, ...(reference?.value('optional') === true ? { optional: true } : {}) } };
  }
  const fieldPath = found.object('fieldRef')?.value('fieldPath');
  return matches(fieldPath, POD_FIELD) ? { fieldRef: { fieldPath } } : undefined;
}

/** Reads one mount after the other; the API server would refuse the whole pod for one of them. */
export function readMounts(): ReadElement<VolumeMount> {
  const paths = new Set<string>();
  return (element) => {
    if (!isObject(element)) return `${quote(element)} is no object`;
    const found = new Found(element, '');
    const name = slug(word(found.value('name')), 63);
    if (name === '') return `${quote(found.value('name'))} is no name of a volume`;
    const mountPath = found.value('mountPath');
    if (typeof mountPath !== 'string' || !/^\/[^\p{Cc}:]{0,1023}$/u.test(mountPath)) return `${quote(mountPath)} is no absolute path`;
    if (paths.has(mountPath)) return `something is mounted at ${quote(mountPath)} already`;
    const subPath = found.value('subPath') ?? '';
    if (typeof subPath !== 'string' || subPath.length > 1024 || !isRelative(subPath))
      return `its subPath ${quote(subPath)} is no relative path`;
    paths.add(mountPath);
    return { name, mountPath, ...(subPath === '' ? {} : { subPath }), ...(found.value('readOnly') === true ? { readOnly: true } : {}) };
  };
}

/** The text that a member is meant to be; String() would call what the manifest says `toString` is. */
function word(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && value.length <= 253 && pattern.test(value);
}

/** One slash at the end is fine, nothing between two is not. */
function isRelative(path: string): boolean {
  const parts = path.replace(/\/$/, '').split('/');
  return path === '' || (parts.every((part) => part !== '' && part !== '..') && !/\p{Cc}/u.test(path));
}
