import { parseMillicores } from '../kube/quantity.ts';
import type { JsonObject, JsonValue } from '../lib/json.ts';

/** What tells the entries of a list apart, by the name of the list, as in the schema of the API server. */
const KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  ownerReferences: ['uid'],
};

/**
 * Where the observed object is not as desired, as a path such as `spec.template.spec.containers[session].image`; undefined where it is. What only
 * the observed one has, defaults and fields of others, does not count.
 */
export function differenceOf(desired: JsonObject, observed: JsonObject): string | undefined {
  return members(desired, observed, '');
}

function members(desired: JsonObject, observed: JsonObject, path: string): string | undefined {
  for (const [name, value] of Object.entries(desired)) {
    if (value === undefined) continue;
    const found = difference(value, observed[name], path === '' ? name : `${path}.${name}`, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function difference(desired: JsonValue, observed: JsonValue | undefined, path: string, name: string): string | undefined {
  if (isList(desired)) return isList(observed) ? entries(desired, observed, path, name) : ifNot(desired.length === 0, path);
  if (isObject(desired)) {
    if (/[.](requests|limits)$/.test(path)) return quantities(desired, isObject(observed) ? observed : {}, path);
    return members(desired, isObject(observed) ? observed : {}, path);
  }
  // The API server leaves out what is false, zero or empty.
  return ifNot(desired === observed || (observed === undefined && !desired), path);
}

function entries(desired: readonly JsonValue[], observed: readonly JsonValue[], path: string, name: string): string | undefined {
  for (const [index, entry] of desired.entries()) {
    if (!isObject(entry)) {
      if (!observed.includes(entry)) return `${path}[${index}]`;
      continue;
    }
    const keys = name === 'ports' ? portKeys(entry) : (KEYS[name] ?? ['name']);
    const same = observed.find((each) => isObject(each) && keys.every((key) => each[key] === entry[key]));
    const at = `${path}[${String(entry.name ?? entry[keys[0] ?? ''] ?? index)}]`;
    const found = isObject(same) ? members(entry, same, at) : at;
    if (found !== undefined) return found;
  }
  return undefined;
}

function portKeys(entry: JsonObject): readonly string[] {
  return 'containerPort' in entry ? ['containerPort', 'protocol'] : ['port', 'protocol'];
}

function quantities(desired: JsonObject, observed: JsonObject, path: string): string | undefined {
  for (const [name, value] of Object.entries(desired)) {
    const other = observed[name];
    // The API server writes a quantity in its own way, and rounds it up to thousandths.
    const isSame = typeof other === 'string' && (other === value || parseMillicores(other) === parseMillicores(String(value)));
    if (!isSame) return `${path}.${name}`;
  }
  return undefined;
}

function ifNot(same: boolean, path: string): string | undefined {
  return same ? undefined : path;
}

function isList(value: JsonValue | undefined): value is readonly JsonValue[] {
  return Array.isArray(value);
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
