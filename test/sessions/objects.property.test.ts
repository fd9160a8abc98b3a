import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Session } from '../../operator/api/session.ts';
import { sessionSpec } from '../../operator/api/session-spec.ts';
import { sessionWorkload } from '../../operator/api/session-template.ts';
import type { JsonObject } from '../../operator/lib/json.ts';
import { differenceOf } from '../../operator/sessions/difference.ts';
import { claimOf, deploymentOf, serviceOf } from '../../operator/sessions/objects.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { sessions } from './arbitrary.ts';

const { namespace } = await tenant('objects');
const { api } = controlPlane;
const PATHS: Readonly<Record<string, string>> = {
  PersistentVolumeClaim: `/api/v1/namespaces/${namespace}/persistentvolumeclaims`,
  Service: `/api/v1/namespaces/${namespace}/services`,
  Deployment: `/apis/apps/v1/namespaces/${namespace}/deployments`,
};

/** What the API server would make of it. */
async function dryApply(object: JsonObject): Promise<{ status: number; body: JsonObject & { message?: string } }> {
  const { name } = object.metadata as { name: string };
  const path = `${PATHS[String(object.kind)]}/${name}?fieldManager=test&force=true&dryRun=All`;
  return api.call('PATCH', path, object, { type: 'application/apply-patch+yaml' });
}

test('whatever the schema accepts gives objects that the API server takes, and finds as desired when they are read back', async () => {
  await fc.assert(
    fc.asyncProperty(sessions, async ({ name, spec }) => {
      const parsed = sessionSpec.parse(spec);
      const workload = sessionWorkload.parse(spec.template);
      const metadata = { name, namespace, uid: '11111111-2222-4333-8444-555555555555', resourceVersion: '1', generation: 1 };
      const session: Session = { apiVersion: 'cloudoptim.io/v1alpha1', kind: 'Session', metadata, spec: parsed };
      const claim = claimOf(session, workload);
      for (const object of [...(claim ? [claim] : []), serviceOf(session, workload), deploymentOf(session, workload, 1)]) {
        const { status, body } = await dryApply(object);
        expect([object.kind, status, body.message]).toEqual([object.kind, status === 200 ? 200 : 201, undefined]);
        expect(differenceOf(JSON.parse(JSON.stringify(object)) as JsonObject, body)).toBeUndefined();
      }
    }),
    { numRuns: 150, endOnFailure: false },
  );
}, 120_000);
