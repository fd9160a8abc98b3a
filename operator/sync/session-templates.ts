import type { Session } from '../api/session.ts';
import type { SessionTemplate } from '../api/session-template.ts';
import type { Task } from '../backends/backend.ts';
import { readManifest } from '../backends/streamspace/manifest.ts';
import type { KubeClient } from '../kube/client.ts';
import { ApiError, isStatus } from '../kube/error.ts';
import type { KubeObject, Resource } from '../kube/object.ts';
import type { Store } from '../kube/store.ts';
import { Backoff } from '../lib/backoff.ts';
import { abortable } from '../lib/wait.ts';

/** The templates of the first version of StreamSpace, which the agent before this operator fell back to (streamspace.md 4.1). */
const TEMPLATES: Resource = { group: 'stream.space', version: 'v1alpha1', plural: 'templates', kind: 'Template', namespaced: true };

/** Where templates are looked for. */
export interface SessionTemplatesOptions {
  readonly client: KubeClient;
  readonly sessions: Store<Session>;
  readonly templates: Store<SessionTemplate>;
  /** The namespace of all Sessions. */
  readonly namespace: string;
}

interface StartParams {
  readonly sessionRef?: { readonly name?: string };
  readonly session?: { readonly templateRef?: { readonly name?: string } };
}

/** Finds what a session runs whose start only names its template. */
export class SessionTemplates {
  readonly #options: SessionTemplatesOptions;

  constructor(options: SessionTemplatesOptions) {
    this.#options = options;
  }

  /**
   * The same task, with the template written out where there is no SessionTemplate of that name but one of StreamSpace; an invalid one where there is
   * neither, because nobody waits for a template that may never come. While the API server does not answer it is asked again; rejects when the signal aborts.
   */
  async complete(task: Task, signal: AbortSignal): Promise<Task> {
    const { sessions, templates, namespace } = this.#options;
    if (task.kind !== 'action' || task.action !== 'SessionStart') return task;
    const params = task.params as StartParams;
    const { templateRef: { name } = {}, ...request } = params.session ?? {};
    // A session that is there keeps what it has.
    if (!name || templates.get(`${namespace}/${name}`) || sessions.get(`${namespace}/${params.sessionRef?.name}`)) return task;
    const found = await this.#find(name, signal);
    if (typeof found !== 'string') {
      const { template, notes } = readManifest(found);
      if (template !== undefined) return { ...task, params: { ...params, session: { ...request, template, templateName: name } } };
      return invalid(task, `templates.stream.space ${name} cannot be used: ${notes.join('; ') || 'it has no spec.baseImage'}`);
    }
    const where = `there is no SessionTemplate ${name} in the namespace ${namespace}, and the command has no templateManifest with a baseImage`;
    return invalid(task, `${where}; ${found}`);
  }

  /** The template, or why there is none. */
  async #find(name: string, signal: AbortSignal): Promise<KubeObject | string> {
    const { client, namespace } = this.#options;
    for (const backoff = new Backoff({ first: 0.2, most: 5 }); ; await abortable(backoff.next(), signal)) {
      signal.throwIfAborted();
      try {
        return await client.get({ resource: TEMPLATES, namespace, name }, signal);
      } catch (error) {
        if (isStatus(error, 404)) return `there is none of templates.stream.space either`;
        if (isStatus(error, 403)) return 'templates.stream.space may not be read: config/rbac-stream-space has the Role for that';
        if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) throw error;
      }
    }
  }
}

function invalid({ id, action, sessionID }: Extract<Task, { kind: 'action' }>, message: string): Task {
  return { kind: 'invalid', id, action, reason: 'TemplateNotFound', message, ...(sessionID === undefined ? {} : { sessionID }) };
}
