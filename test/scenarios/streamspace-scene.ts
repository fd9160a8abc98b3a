import { afterAll, beforeAll } from 'vitest';
import { type StreamSpaceControlPlane, type StreamSpaceOptions, startStreamSpace } from '../backends/streamspace/server.ts';
import type { SessionOrder } from '../backends/streamspace/users.ts';
import { waitFor } from '../cluster/wait-for.ts';
import { listPods } from '../cluster/workloads.ts';
import type { Condition } from './objects.ts';
import { type Scene, useScene } from './scene.ts';

/** The id of the agent in these scenarios. */
export const AGENT = 'k8s-test';

/** What a session asks for here: more than the nodes of other tests have, so that it runs on those of its own scene. */
export const SIZE = { cpu: '9000', memory: '1Gi' };

/** A Session, as far as scenarios ask for it. */
export interface StoredSession {
  readonly metadata: { readonly name: string; readonly uid: string; readonly generation: number };
  readonly spec: { readonly state?: string; readonly user?: string };
  readonly status?: { readonly phase?: string; readonly conditions?: Condition[]; readonly override?: { readonly state: string } };
}

/** A scene with a control plane that has approved its agent. */
export interface StreamSpaceScene {
  readonly scene: Scene;
  readonly cp: StreamSpaceControlPlane;
  /** The variables of seed 002 that name it, with short delays. */
  readonly variables: Readonly<Record<string, string>>;
  /** Orders a session of this scene's size. */
  order(more?: Partial<SessionOrder>): ReturnType<StreamSpaceControlPlane['users']['create']> & { readonly id: string };
  /** Waits until the Session of an id is as asked for. */
  session(id: string, look: (session: StoredSession) => unknown, within?: number): Promise<StoredSession>;
  /** Whether an object exists: `apis/apps/v1/deployments/x`, without its namespace. */
  exists(group: string, resource: string, name: string): Promise<boolean>;
  /** The names of the session's pods. */
  pods(id: string): Promise<string[]>;
}

/** A scene for all tests of a file: nodes that are large enough, and a control plane. */
export function useStreamSpace(name: string, options: StreamSpaceOptions = {}, nodes = 1): StreamSpaceScene {
  const scene = useScene(name);
  let cp: StreamSpaceControlPlane;
  beforeAll(async () => {
    cp = await startStreamSpace(options);
    await scene.tenant.createNodes(nodes, { cpu: '2000000', memory: '4Ti' });
  });
  afterAll(() => cp.close());
  const sessions = () => `/apis/cloudoptim.io/v1alpha1/namespaces/${scene.namespace}/sessions`;
  return {
    scene,
    get cp() {
      return cp;
    },
    get variables() {
      return {
        AGENT_ID: AGENT,
        CONTROL_PLANE_URL: cp.url.replace('http', 'ws'),
        AGENT_API_KEY: cp.bootstrapKey,
        NAMESPACE: scene.namespace,
        HEALTH_CHECK_INTERVAL: '5s',
        RECONNECT_INITIAL_DELAY: '0.5s',
        RECONNECT_MAX_DELAY: '2s',
      };
    },
    order: (more = {}) => {
      const answer = cp.users.create({ user: 'admin', template: 'firefox', ...SIZE, ...more });
      if (answer.session === undefined) throw new Error(`the control plane refused: ${answer.status}`);
      return { ...answer, id: answer.session.id };
    },
    session: async (id, look, within = 30_000) => {
      let last: StoredSession | undefined;
      const seen = async () => {
        last = await scene.cp.api.get<StoredSession>(`${sessions()}/${id}`);
        return look(last) ? last : undefined;
      };
      return waitFor(seen, { what: `${id}: ${look}`, within }).catch((error: unknown) => {
        throw new Error(`${String(error)}\n${JSON.stringify(last?.status, undefined, 1)}`);
      });
    },
    exists: async (group, resource, object) => {
      const { status } = await scene.cp.api.call('GET', `/${group}/namespaces/${scene.namespace}/${resource}/${object}`);
      return status === 200;
    },
    pods: async (id) => (await listPods(scene.cp, scene.namespace, `session=${id}`)).map(({ metadata }) => metadata.name),
  };
}

/** Approves the agent as soon as it has registered, and waits until it is connected. */
export async function admit(cp: StreamSpaceControlPlane): Promise<void> {
  await cp.waitFor(() => cp.database.agents.has(AGENT), 'the registration of the agent', 30_000);
  cp.administrator.approve(AGENT);
  await cp.connected(AGENT, 45_000);
}

/** The condition of this type of a Session. */
export function sessionCondition({ status }: StoredSession, type: string): Condition | undefined {
  return status?.conditions?.find((each) => each.type === type);
}
