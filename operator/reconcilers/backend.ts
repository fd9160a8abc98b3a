import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { type ConditionClaim, setConditions } from '../api/condition.ts';
import { parseDuration } from '../api/duration.ts';
import {
  idsOf,
  type OptimizationBackend,
  type OptimizationBackendSpec,
  type OptimizationBackendStatus,
  optimizationBackendSpec,
} from '../api/optimization-backend.ts';
import { type Summary, summarize } from '../api/summary.ts';
import { type UpstreamDesk, type UpstreamReport, upstreamTopic } from '../api/upstream.ts';
import type { Outcome } from '../kube/controller.ts';
import { dataTopic, type NamedDataWatch } from '../kube/named-data.ts';
import { SECRETS } from '../kube/resources.ts';
import type { RightsScope } from '../kube/rights.ts';
import { formatSeconds } from '../lib/time.ts';
import { troubleOf } from './trouble.ts';

/** The key of a credentials Secret that holds the bearer key (seed 003). */
const API_KEY = 'api-key';

/** Where the control plane of StreamSpace looks for desktops that are served over HTTP (streamspace.md 4.2). */
const STREAM_SPACE_NAMESPACE = 'streamspace';

/** Numbers in the status are brought up to date this often. */
const REFRESH_SECONDS = 60;

/** What the reconciler of OptimizationBackends works with. */
export interface BackendReconcilerOptions {
  readonly desk: UpstreamDesk;
  readonly secrets: NamedDataWatch;
  /** The names of all actions. */
  readonly actions: readonly string[];
  /** The namespace of all Sessions. */
  readonly sessionNamespace: string;
  /** The rights that sessions, and tunnels where there are any, need and the operator does not have. */
  readonly missingRights: (scopes: readonly RightsScope[], signal: AbortSignal) => Promise<readonly string[]>;
  /** The key the environment gave, for the backend the environment made. */
  readonly environmentKey: (backend: string) => string | undefined;
}

/** Makes one upstream run as its OptimizationBackend says, and says in its status how it is doing. */
export class BackendReconciler {
  readonly #options: BackendReconcilerOptions;
  /** Scopes whose rights are all there. */
  readonly #granted = new Set<string>();
  readonly #schema: ReturnType<typeof optimizationBackendSpec>;

  constructor(options: BackendReconcilerOptions) {
    this.#options = options;
    this.#schema = optimizationBackendSpec(options.actions);
  }

  /** One pass; the upstream is changed only where the object or its Secrets say something else than before. */
  async reconcile(
    object: OptimizationBackend,
    { now, signal }: { readonly now: Date; readonly signal: AbortSignal },
  ): Promise<Outcome<OptimizationBackendStatus>> {
    const parsed = this.#schema.safeParse(object.spec);
    if (!parsed.success) {
      const message = `spec is not valid: ${z.prettifyError(parsed.error).replaceAll('\n', ' ')}`;
      return { status: statusOf(object, { state: 'Failed', reason: 'InvalidSpec', message }, [], now, {}), next: { kind: 'settled' } };
    }
    const { name } = object.metadata;
    const spec: OptimizationBackendSpec = parsed.data;
    const { key, caBundle, clientCertificate, missing } = await this.#credentials(name, spec, signal);
    const intervals = {
      poll: parseDuration(spec.intervals.poll) ?? 10,
      metrics: parseDuration(spec.intervals.metrics) ?? 60,
      heartbeat: parseDuration(spec.intervals.heartbeat ?? '') ?? (spec.protocol === 'StreamSpace' ? 10 : 30),
    };
    const { clusterID, agentID } = idsOf(spec);
    const { received = 0, reported = 0, rejected = 0 } = object.status?.tasks ?? {};
    const counted = { received, reported, rejected };
    const report = await this.#options.desk.ensure({
      name,
      spec,
      clusterID,
      agentID,
      intervals,
      counted,
      key,
      caBundle,
      clientCertificate,
    });
    const refs = [spec.credentialsSecretRef, spec.tls?.caBundleSecretRef, spec.tls?.clientCertificateSecretRef];
    const secrets = refs.flatMap((ref) => ref?.name ?? []);
    const changed = [upstreamTopic(name), ...secrets.map((each) => dataTopic(SECRETS, each))];
    const scopes: readonly RightsScope[] = spec.vnc?.enabled ? ['sessions', 'vnc'] : ['sessions'];
    const lacking = spec.protocol === 'StreamSpace' ? await this.#lacking(scopes, signal) : [];
    const notes = { missing, lacking, sessionNamespace: this.#options.sessionNamespace };
    return { status: shown(object, spec, report, notes, agentID, now), next: { kind: 'when', changed, orAfter: REFRESH_SECONDS } };
  }

  /** Asked once where nothing is missing, and else in every pass, until it is there. */
  async #lacking(scopes: readonly RightsScope[], signal: AbortSignal): Promise<readonly string[]> {
    if (this.#granted.has(scopes.join())) return [];
    const missing = await this.#options.missingRights(scopes, signal);
    if (missing.length === 0) this.#granted.add(scopes.join());
    return missing;
  }

  async #credentials(name: string, spec: OptimizationBackendSpec, signal: AbortSignal) {
    const ref = spec.credentialsSecretRef;
    const secret = ref ? await this.#options.secrets.secret(ref.name, signal) : undefined;
    const key = secret?.[API_KEY] || this.#options.environmentKey(name);
    const caRef = spec.tls?.caBundleSecretRef;
    const caBundle = caRef ? (await this.#options.secrets.secret(caRef.name, signal))?.[caRef.key] : undefined;
    const certificateRef = spec.tls?.clientCertificateSecretRef;
    const pair = certificateRef ? await this.#options.secrets.secret(certificateRef.name, signal) : undefined;
    const { 'tls.crt': certificate, 'tls.key': privateKey } = pair ?? {};
    const missing: string[] = [];
    // Who shows a certificate may be known by that alone.
    if (!key && !(certificateRef && !ref))
      missing.push(ref ? `the Secret ${ref.name} has no key ${API_KEY}` : 'spec.credentialsSecretRef names no Secret');
    if (caRef && !caBundle) missing.push(`the Secret ${caRef.name} has no key ${caRef.key}`);
    if (certificateRef && !(certificate && privateKey)) missing.push(`the Secret ${certificateRef.name} has no keys tls.crt and tls.key`);
    const clientCertificate = certificate && privateKey ? { certificate, key: privateKey } : undefined;
    return { key: key || undefined, caBundle, clientCertificate, missing: missing.join('; ') };
  }
}

/** Whether a change of the object asks for a pass: another spec or another object. */
export function isRelevantBackend(before: OptimizationBackend | undefined, after: OptimizationBackend): boolean {
  return before?.metadata.uid !== after.metadata.uid || before.metadata.generation !== after.metadata.generation;
}

/** Whether watchers want to see the difference at once: a condition that changed or the first task, but not every number. */
export function isUrgentBackend(before: OptimizationBackendStatus | undefined, after: OptimizationBackendStatus): boolean {
  const firstTask = !before?.tasks?.received && (after.tasks?.received ?? 0) > 0;
  return firstTask || !isDeepStrictEqual(before?.conditions, after.conditions) || before?.registeredAs !== after.registeredAs;
}

/** The status that tells an error which keeps coming back. */
export function troubleStatus(object: OptimizationBackend, error: unknown, now: Date): OptimizationBackendStatus {
  return statusOf(object, { state: 'Retrying', ...troubleOf(error) }, [], now, {});
}

interface Notes {
  readonly missing: string;
  readonly lacking: readonly string[];
  readonly sessionNamespace: string;
}

function shown(
  object: OptimizationBackend,
  spec: OptimizationBackendSpec,
  report: UpstreamReport,
  notes: Notes,
  agentID: string,
  now: Date,
): OptimizationBackendStatus {
  const facts = {
    ...(report.registered ? { registeredAs: agentID } : {}),
    ...(report.lastTask ? { lastTaskTime: formatSeconds(report.lastTask) } : {}),
    tasks: report.tasks,
    lag: report.lag,
  };
  const claims = [connected(report, notes.missing), authenticated(report, notes.missing)];
  const status = statusOf(object, summaryOf(spec, report, notes), claims, now, facts);
  // Times alone are no reason to write: an idle operator is silent (they are renewed with whatever else changes, and when contact is lost).
  if (isDeepStrictEqual(status, object.status)) return status;
  return {
    ...status,
    ...(report.lastContact ? { lastContactTime: formatSeconds(report.lastContact) } : {}),
    ...(report.lastSnapshot ? { lastSnapshotTime: formatSeconds(report.lastSnapshot) } : {}),
  };
}

function summaryOf(spec: OptimizationBackendSpec, report: UpstreamReport, { missing, lacking, sessionNamespace }: Notes): Summary {
  if (missing) return { state: 'Retrying', reason: 'CredentialsMissing', message: missing };
  if (report.refused) return { state: 'Retrying', reason: report.refused, message: report.message };
  if (report.authenticated === false) return { state: 'Retrying', reason: 'Unauthorized', message: report.message };
  if (report.connected === false) return { state: 'Retrying', reason: 'Unreachable', message: report.message };
  if (lacking.length > 0) {
    const rest = lacking.length > 3 ? ` and ${lacking.length - 3} more` : '';
    const message = `the operator may not ${lacking.slice(0, 3).join(', ')}${rest} in the namespace ${sessionNamespace}: apply config/rbac-sessions there, and config/rbac-vnc for tunnels`;
    return { state: 'Retrying', reason: 'Forbidden', message };
  }
  if (report.connected === undefined)
    return { state: 'Working', reason: 'Connecting', message: `waits for the first answer of ${spec.url}` };
  if (spec.suspend) return { state: 'Done', reason: 'Suspended', message: 'connected; takes no new tasks because spec.suspend is true' };
  const costs = report.unpriced ? `; no price for ${report.unpriced}` : '';
  const elsewhere = spec.protocol === 'StreamSpace' && sessionNamespace !== STREAM_SPACE_NAMESPACE;
  const away = elsewhere
    ? `; its control plane finds desktops over HTTP in the namespace ${STREAM_SPACE_NAMESPACE} only, and NAMESPACE is ${sessionNamespace}`
    : '';
  return { state: 'Done', reason: 'Connected', message: `connected to ${spec.url}${costs}${away}` };
}

function connected(report: UpstreamReport, missing: string): ConditionClaim {
  if (report.connected === undefined) return { type: 'Connected', status: 'Unknown', reason: 'Connecting', message: missing };
  if (report.connected) return { type: 'Connected', status: 'True', reason: 'Connected', message: '' };
  return { type: 'Connected', status: 'False', reason: report.refused ?? 'Unreachable', message: report.message };
}

function authenticated(report: UpstreamReport, missing: string): ConditionClaim {
  const type = 'Authenticated';
  if (missing) return { type, status: 'False', reason: 'CredentialsMissing', message: missing };
  if (report.authenticated === undefined) return { type, status: 'Unknown', reason: 'Connecting', message: '' };
  if (report.authenticated) return { type, status: 'True', reason: 'Connected', message: '' };
  return { type, status: 'False', reason: 'Unauthorized', message: report.message };
}

function statusOf(
  object: OptimizationBackend,
  summary: Summary,
  claims: readonly ConditionClaim[],
  now: Date,
  facts: Partial<OptimizationBackendStatus>,
): OptimizationBackendStatus {
  const { generation } = object.metadata;
  const context = { now, generation };
  return {
    ...object.status,
    ...facts,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
    conditions: summarize(setConditions(object.status?.conditions, claims, context), summary, context),
  };
}
