import { z } from 'zod';
import { API_VERSION } from '../api/group.ts';
import { SESSION_FINALIZER, SESSIONS } from '../api/session.ts';
import { sessionSpec } from '../api/session-spec.ts';
import type { KubeObject } from '../kube/object.ts';
import type { JsonObject } from '../lib/json.ts';
import { APP_LABEL, SESSION_LABEL } from './labels.ts';
import { claimNameOf } from './objects.ts';

const MANAGED_BY = 'app.kubernetes.io/managed-by';
const OPERATOR = 'cloudoptim-operator';
/** What the reference agent sets in every container, and the operator too. */
const GIVEN = new Set(['USER', 'SESSION_ID']);
const HOME_VOLUME = 'user-home';

interface Container {
  readonly image?: string;
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly protocol?: string }[];
  readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: JsonObject }[];
  readonly resources?: { readonly requests?: Record<string, string>; readonly limits?: Record<string, string> };
  readonly volumeMounts?: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly subPath?: string;
    readonly readOnly?: boolean;
  }[];
}

interface DeploymentSpec {
  readonly replicas?: number;
  readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  readonly template?: {
    readonly spec?: {
      readonly containers?: readonly Container[];
      readonly volumes?: readonly { readonly name: string; readonly persistentVolumeClaim?: { readonly claimName: string } }[];
    };
  };
}

/** The Session of a Deployment that has none, ready to be created, or why there cannot be one. */
export type Adoption = { readonly session: JsonObject } | { readonly flaw: string };

/**
 * Whose an object of sessions without an owner is: `reference`, made by the agent before this operator, whose session goes on; `ours`, made for a
 * Session that is gone without it. Undefined for what somebody owns or keeps otherwise, and what is on its way out.
 */
export function originOf({ metadata }: KubeObject): 'reference' | 'ours' | undefined {
  const { labels = {}, deletionTimestamp, ownerReferences = [], name } = metadata;
  if (labels.app !== APP_LABEL.app || labels[SESSION_LABEL] !== name || deletionTimestamp || ownerReferences.length > 0) return undefined;
  const keeper = labels[MANAGED_BY];
  return keeper === undefined ? 'reference' : keeper === OPERATOR ? 'ours' : undefined;
}

/** Reads a Deployment of the reference agent into the Session that would have made it (streamspace.md 4.2, 4.4); `claim` is that of its home. */
export function adopt(deployment: KubeObject, claim: KubeObject | undefined, backend: string): Adoption {
  const { name, namespace, labels = {} } = deployment.metadata;
  const { replicas = 1, selector, template } = specOf(deployment);
  if (selector?.matchLabels?.[SESSION_LABEL] !== name) return { flaw: `its selector is not ${SESSION_LABEL}=${name}` };
  const [container, ...others] = template?.spec?.containers ?? [];
  if (!container || others.length > 0) return { flaw: `it has ${others.length + (container ? 1 : 0)} containers, and a session has one` };
  const variable = (wanted: string) => container.env?.find((each) => each.name === wanted)?.value;
  const sessionID = variable('SESSION_ID');
  const claimName = template?.spec?.volumes?.find((volume) => volume.name === HOME_VOLUME)?.persistentVolumeClaim?.claimName;
  const spec = {
    state: replicas > 0 ? 'Running' : 'Hibernated',
    user: variable('USER') || labels.user || 'unknown',
    template: workloadOf(container),
    ...(labels.template ? { templateName: labels.template } : {}),
    resources: resourcesOf(container),
    ...(claim || claimName === claimNameOf(name) ? { home: { enabled: true } } : {}),
    backendRef: { name: backend },
    ...(sessionID && sessionID !== name ? { sessionID } : {}),
  };
  const parsed = sessionSpec.safeParse(spec);
  if (!parsed.success) return { flaw: z.prettifyError(parsed.error).replaceAll('\n', ' ') };
  return {
    session: {
      apiVersion: API_VERSION,
      kind: SESSIONS.kind,
      metadata: { name, namespace, finalizers: [SESSION_FINALIZER] },
      spec: parsed.data as unknown as JsonObject,
    },
  };
}

function workloadOf({ image, ports = [], env = [], volumeMounts = [] }: Container): unknown {
  return {
    image,
    ...(ports.length > 0
      ? {
          ports: ports.map(({ name, containerPort, protocol = 'TCP' }) => ({
            name: name || `port-${containerPort}`,
            containerPort,
            protocol,
          })),
        }
      : {}),
    ...vncOf(ports),
    env: env.filter(({ name }) => !GIVEN.has(name)).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    volumeMounts: volumeMounts.map(({ name, mountPath, subPath, readOnly }) => ({
      name,
      mountPath,
      ...(subPath ? { subPath } : {}),
      ...(readOnly ? { readOnly } : {}),
    })),
  };
}

function vncOf(ports: NonNullable<Container['ports']>): object {
  const vnc = ports.find(({ name }) => name === 'vnc') ?? (ports.length === 1 ? ports[0] : undefined);
  return vnc ? { vnc: { port: vnc.containerPort } } : {};
}

function resourcesOf({ resources }: Container): unknown {
  const { cpu, memory } = { ...resources?.requests, ...resources?.limits };
  return { ...(cpu ? { cpu } : {}), ...(memory ? { memory } : {}) };
}

function specOf(deployment: KubeObject): DeploymentSpec {
  return (deployment.spec ?? {}) as DeploymentSpec;
}
