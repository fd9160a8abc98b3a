import { onTestFinished } from 'vitest';
import { Bus } from '../../operator/kube/bus.ts';
import { Controller, type ControllerOptions, keyOf } from '../../operator/kube/controller.ts';
import type { KubeObject, Resource } from '../../operator/kube/object.ts';
import { Reflector } from '../../operator/kube/reflector.ts';
import { Store } from '../../operator/kube/store.ts';
import type { ControlPlaneAccess } from '../cluster/access.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { clientOf } from './clients.ts';

/** What a widget shows. */
export interface WidgetStatus {
  readonly phase?: string;
  readonly done?: number;
  readonly message?: string;
}

/** An object of the tests' own kind. */
export type Widget = KubeObject<{ readonly size?: number }, WidgetStatus>;

/** The tests' own kind, made by `createWidgetKind`. */
const WIDGETS: Resource = { group: 'test.cloudoptim.io', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true };

/** The finalizer of the controllers under test. */
export const FINALIZER = 'test.cloudoptim.io/held';

/** Makes the kind and resolves when objects of it can be made; one that is there is fine. */
export async function createWidgetKind(cp: ControlPlaneAccess): Promise<void> {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const version = {
    name: 'v1',
    served: true,
    storage: true,
    subresources: { status: {} },
    schema: { openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } } },
  };
  const names = { plural: WIDGETS.plural, singular: 'widget', kind: WIDGETS.kind, listKind: 'WidgetList' };
  await cp.api.call('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: `${WIDGETS.plural}.${WIDGETS.group}` },
    spec: { group: WIDGETS.group, scope: 'Namespaced', names, versions: [version] },
  });
  await waitFor(() => cp.api.get(`/apis/${WIDGETS.group}/v1/widgets`), { what: 'widgets are served' });
}

/** Makes, changes and reads the widgets of one namespace, as a user would. */
export function user(cp: ControlPlaneAccess, namespace: string) {
  const path = `/apis/${WIDGETS.group}/v1/namespaces/${namespace}/widgets`;
  return {
    create: (name: string, more: { spec?: object; metadata?: object } = {}) =>
      cp.api.create<Widget>(path, { apiVersion: `${WIDGETS.group}/v1`, kind: 'Widget', ...more, metadata: { ...more.metadata, name } }),
    patch: (name: string, change: object) => cp.api.patch<Widget>(`${path}/${name}`, change),
    get: (name: string) => cp.api.get<Widget>(`${path}/${name}`),
    remove: (name: string) => cp.api.remove(`${path}/${name}`),
    exists: async (name: string) => (await cp.api.call('GET', `${path}/${name}`)).status === 200,
    /** The writes of the operator to one widget so far, oldest first: `PATCH status 200`. */
    writes: async (name: string) => {
      const events = await cp.auditEvents();
      return events
        .filter(({ userAgent, verb }) => userAgent === 'cloudoptim-operator' && ['patch', 'update', 'delete'].includes(verb))
        .filter(({ objectRef }) => objectRef?.namespace === namespace && objectRef.name === name)
        .map(({ verb, objectRef, responseStatus }) => [verb, objectRef?.subresource, responseStatus?.code].filter(Boolean).join(' '));
    },
  };
}

/** What a test says about its controller. */
export type WidgetOptions = Pick<ControllerOptions<WidgetStatus, Widget>, 'reconcile'> &
  Partial<Omit<ControllerOptions<WidgetStatus, Widget>, 'reconcile'>>;

/** A controller of one namespace's widgets with its watch, and all it told. */
export class WidgetController implements AsyncDisposable {
  readonly bus = new Bus();
  readonly store = new Store<Widget>((widget) => ({ key: keyOf(widget), ...widget.metadata }));
  readonly passes: { readonly name: string; readonly uid: string; readonly at: number }[] = [];
  readonly written: WidgetStatus[] = [];
  readonly errors: { readonly message: string; readonly retryIn: number }[] = [];
  readonly gone: string[] = [];
  readonly controller: Controller<WidgetStatus, Widget>;
  readonly #stop = new AbortController();
  readonly #watching: Promise<void>;
  readonly #synced: Promise<void>;

  constructor(cp: ControlPlaneAccess, namespace: string, options: WidgetOptions) {
    const client = options.client ?? clientOf(cp);
    this.controller = new Controller<WidgetStatus, Widget>({
      name: 'widgets',
      resource: WIDGETS,
      client,
      store: this.store,
      bus: this.bus,
      width: 4,
      finalizer: FINALIZER,
      isRelevant: (before, after) =>
        before?.metadata.generation !== after.metadata.generation ||
        before?.metadata.deletionTimestamp !== after.metadata.deletionTimestamp,
      isUrgent: (before, after) => before?.phase !== after.phase,
      progressEvery: 0,
      explain: (_, error) => ({ phase: 'Error', message: (error as Error).message }),
      onWritten: (_, __, after) => this.written.push(after),
      onGone: ({ metadata }) => this.gone.push(metadata.uid),
      onError: (_, error, retryIn) => this.errors.push({ message: (error as Error).message, retryIn }),
      ...options,
      reconcile: (widget, context) => {
        this.passes.push({ name: widget.metadata.name, uid: widget.metadata.uid, at: performance.now() });
        return options.reconcile(widget, context);
      },
    });
    const project = (raw: unknown) => {
      const { managedFields: _, ...metadata } = (raw as Widget).metadata as Widget['metadata'] & { managedFields?: unknown };
      return { ...(raw as Widget), metadata };
    };
    const observe = () => {};
    const reflector = new Reflector({ client, resource: WIDGETS, namespace, project, store: this.store, silenceSeconds: 100, observe });
    this.#watching = reflector.run(this.#stop.signal);
    this.#synced = reflector.synced;
  }

  /** The passes over one widget so far. */
  passesOf(name: string) {
    return this.passes.filter((pass) => pass.name === name);
  }

  /** Opens the controller when its store is filled. */
  async open(): Promise<this> {
    await this.#synced;
    this.controller.open();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.controller.close();
    this.#stop.abort();
    await this.#watching;
  }
}

/** Starts a controller that heeds one widget only, so that tests can share a namespace; it ends with the test. */
export async function startFor(cp: ControlPlaneAccess, namespace: string, name: string, options: WidgetOptions): Promise<WidgetController> {
  const reconcile: WidgetOptions['reconcile'] = async (widget, context) =>
    widget.metadata.name === name ? options.reconcile(widget, context) : { next: { kind: 'settled' } };
  const made = new WidgetController(cp, namespace, { ...options, reconcile });
  onTestFinished(() => made[Symbol.asyncDispose]());
  return made.open();
}
