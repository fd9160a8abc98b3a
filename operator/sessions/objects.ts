import { API_VERSION } from '../api/group.ts';
import { SESSIONS, type Session } from '../api/session.ts';
import type { SessionWorkload } from '../api/session-template.ts';
import type { JsonObject } from '../lib/json.ts';
import { podSpec } from './container.ts';
import { digest, identityOf, REVISION_LABEL, SESSION_LABEL } from './labels.ts';
import { servicePorts } from './ports.ts';

/** A hash of the object as it was last applied: whatever the desired object has no more is removed by applying it anew. */
export const APPLIED = 'cloudoptim.io/applied';
/** On the Deployment: the template it was made from, so that a later edit of the template does not restart a session that runs. */
export const WORKLOAD = 'cloudoptim.io/workload';
/** On the claim of a home: what becomes of it, should the template be gone when that is asked. */
export const RETAIN = 'cloudoptim.io/retain';
/** A template longer than this is not kept in an annotation, which may have 256 KiB together. */
const MAX_KEPT = 65_536;

/** The name of the claim of a session's home. */
export function claimNameOf(session: string): string {
  return `${session}-home`;
}

/** The claim of its home; undefined for a session that has none. */
export function claimOf(session: Session, workload: SessionWorkload): JsonObject | undefined {
  const { metadata, spec } = session;
  if (!spec?.home?.enabled) return undefined;
  const { size = '10Gi', storageClassName, accessMode = 'ReadWriteOnce', retain = 'Always' } = { ...workload.home, ...spec.home };
  const { labels, annotations } = identityOf(session);
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimNameOf(metadata.name),
      namespace: metadata.namespace,
      labels,
      annotations: { ...annotations, [RETAIN]: retain },
    },
    spec: {
      accessModes: [accessMode],
      resources: { requests: { storage: size } },
      ...(storageClassName === undefined ? {} : { storageClassName }),
    },
  };
}

/** Its Service, by which it is reached under its own name. */
export function serviceOf(session: Session, workload: SessionWorkload): JsonObject {
  const { name } = session.metadata;
  const spec = {
    selector: { [SESSION_LABEL]: name },
    ports: servicePorts(workload).map((port) => ({ name: port.name, port: port.number, targetPort: port.number, protocol: port.protocol })),
  };
  return owned(session, { apiVersion: 'v1', kind: 'Service' }, spec, {});
}

/** Its Deployment; without `replicas` their number is left to whoever else sets it. */
export function deploymentOf(session: Session, workload: SessionWorkload, replicas: number | undefined): JsonObject {
  const { metadata, spec } = session;
  const { labels, annotations } = identityOf(session);
  const claimName = spec?.home?.enabled ? claimNameOf(metadata.name) : undefined;
  const pod = podSpec(session, workload, claimName);
  const template = {
    metadata: { labels: { ...labels, [REVISION_LABEL]: digest([labels, pod], 10) }, ...filled('annotations', annotations) },
    spec: pod,
  };
  const kept = spec?.templateRef ? JSON.stringify(workload) : '';
  return owned(
    session,
    { apiVersion: 'apps/v1', kind: 'Deployment' },
    {
      ...(replicas === undefined ? {} : { replicas }),
      // Two pods at once would share the home.
      strategy: { type: 'Recreate' },
      selector: { matchLabels: { [SESSION_LABEL]: metadata.name } },
      template,
    },
    kept !== '' && kept.length <= MAX_KEPT ? { [WORKLOAD]: kept } : {},
  );
}

function owned(session: Session, type: { apiVersion: string; kind: string }, spec: JsonObject, more: Record<string, string>): JsonObject {
  const { name, namespace, uid } = session.metadata;
  const { labels, annotations } = identityOf(session);
  // Not what is scaled: a hibernated one is no other object.
  const applied = digest([labels, { ...spec, replicas: undefined }, more], 16);
  return {
    ...type,
    metadata: {
      name,
      namespace,
      labels,
      annotations: { ...annotations, ...more, [APPLIED]: applied },
      ownerReferences: [{ apiVersion: API_VERSION, kind: SESSIONS.kind, name, uid, controller: true }],
    },
    spec,
  };
}

function filled(member: string, entries: Record<string, string>): JsonObject {
  return Object.keys(entries).length > 0 ? { [member]: entries } : {};
}
