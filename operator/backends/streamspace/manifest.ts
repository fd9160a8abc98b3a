import { isObject, parseJSON } from '../transport/json.ts';
import { quote, readPort, readQuantity } from './amounts.ts';
import { readEnv, readMounts, readPorts } from './manifest-lists.ts';
import { Found } from './manifest-members.ts';

/** What a session runs, in the members of `Session.spec.template`. */
export interface Workload {
  readonly image: string;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number; readonly protocol: 'TCP' | 'UDP' }[];
  readonly vnc?: { readonly port: number };
  readonly env?: readonly EnvironmentVariable[];
  readonly volumeMounts?: readonly VolumeMount[];
  readonly resources?: { readonly cpu?: string; readonly memory?: string };
}

/** One variable of the container. */
export interface EnvironmentVariable {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: Readonly<Record<string, Readonly<Record<string, string | boolean>>>>;
}

/** What is mounted where. */
export interface VolumeMount {
  readonly name: string;
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly?: boolean;
}

/** A manifest as far as it can be used: no template where it names no image, and a note for each member that was dropped. */
export interface Manifest {
  readonly template?: Workload;
  readonly notes: readonly string[];
}

/**
 * Reads a Template of `stream.space/v1alpha1` in any of the spellings that control planes have sent: capitalised keys, `kasmvnc` for `vnc`, resources flat
 * or in requests and limits, ports as texts (streamspace.md 4.1). Never throws.
 */
export function readManifest(manifest: unknown): Manifest {
  const notes: string[] = [];
  const body = typeof manifest === 'string' ? parsed(manifest, notes) : manifest;
  if (body === undefined || body === null) return { notes };
  if (!isObject(body)) return { notes: [...notes, `the manifest was dropped: it is ${quote(body)}, no object`] };
  const whole = new Found(body, '', notes);
  // Also the bare spec, as some callers of the control plane store it.
  const spec = whole.object('spec') ?? whole;
  const image = readImage(spec);
  if (image === undefined) return { notes };
  const ports = spec.list('ports', 16, readPorts());
  const vnc = readVNC(spec);
  const env = spec.list('env', 128, readEnv(), (map) => Object.entries(map).map(([name, value]) => ({ name, value })));
  const volumeMounts = spec.list('volumeMounts', 16, readMounts());
  const resources = readResources(spec);
  const template = {
    image,
    ...(ports.length > 0 ? { ports } : {}),
    ...(vnc === undefined ? {} : { vnc }),
    ...(env.length > 0 ? { env } : {}),
    ...(volumeMounts.length > 0 ? { volumeMounts } : {}),
    ...(resources === undefined ? {} : { resources }),
  };
  return { template, notes };
}

function parsed(text: string, notes: string[]): unknown {
  if (text.trim() === '') return undefined;
  try {
    return parseJSON(text);
  } catch {
    notes.push('the manifest was dropped: it is a text that is not JSON');
    return undefined;
  }
}

function readImage(spec: Found): string | undefined {
  const name = spec.has('baseImage') ? 'baseImage' : 'image';
  const value = spec.value(name);
  if (value === undefined || value === '') return undefined;
  const image = typeof value === 'string' ? value.trim() : '';
  if (/^[^\s\p{Cc}]{1,1024}$/u.test(image) && image.isWellFormed()) return image;
  spec.drop(name, `${quote(value)} is no image`);
  return undefined;
}

function readVNC(spec: Found): { port: number } | undefined {
  const vnc = spec.object(spec.has('vnc') ? 'vnc' : 'kasmvnc');
  if (vnc === undefined || vnc.value('enabled') === false || vnc.value('port') === undefined) return undefined;
  const port = readPort(vnc.value('port'));
  if (port !== undefined) return { port };
  vnc.drop('port', `${quote(vnc.value('port'))} is no port from 1 to 65535`);
  return undefined;
}

/** Requests before limits: what is requested is also the limit of a session, and the smaller of the two is what it was meant to need. */
function readResources(spec: Found): { cpu?: string; memory?: string } | undefined {
  const resources = spec.object(spec.has('defaultResources') ? 'defaultResources' : 'resources');
  if (resources === undefined) return undefined;
  const sources = [resources, resources.object('requests'), resources.object('limits')];
  const found: { cpu?: string; memory?: string } = {};
  for (const name of ['cpu', 'memory'] as const) {
    const source = sources.find((each) => each?.value(name) !== undefined && each.value(name) !== '');
    if (source === undefined) continue;
    const amount = readQuantity(source.value(name));
    if (amount === undefined) source.drop(name, `${quote(source.value(name))} is no quantity such as ${name === 'cpu' ? '500m' : '1Gi'}`);
    else found[name] = amount;
  }
  return Object.keys(found).length > 0 ? found : undefined;
}
