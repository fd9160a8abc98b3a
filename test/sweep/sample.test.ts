import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { applyCrds } from '../cluster/crds.ts';
import { createTenant } from '../cluster/tenant.ts';
import { AuditTail } from './audit-tail.ts';
import { cases } from './cases.ts';
import { Lane } from './lane.ts';
import { attempt } from './sweep.ts';

const BUNDLE = { bundle: true, platform: 'node', format: 'cjs', target: 'node24', logLevel: 'error' } as const;

// As long as the two minutes of a cut-off eviction, see below.
vi.setConfig({ testTimeout: 240_000 });

let cp: ControlPlane;
let audit: AuditTail;
let lane: Lane;

beforeAll(async () => {
  // One of its own, as in `make sweep`: what other tests do to a shared one would hold up drains.
  cp = await startControlPlane({ audit: true });
  await applyCrds(cp);
  audit = new AuditTail(cp);
  // One file starts in a fraction of the time of the sources.
  const main = join(cp.dir, 'sweep-main.cjs');
  const bundled = build({ entryPoints: [join(import.meta.dirname, '../../operator/main.ts')], outfile: main, ...BUNDLE });
  const [made] = await Promise.all([createTenant(cp, 'sweep'), bundled]);
  lane = await Lane.open({ cp, tenant: made, audit, main });
});

afterAll(async () => {
  await lane.close();
  await cp.close();
});

// Where a side effect, its record and its report lie next to each other. `make sweep` tries all the others: killed between two evictions, a drain may have
// to wait for two minutes, because the API server counts a pod whose eviction was cut off as disrupted for that long.
test.each([
  ['cordon', 'after', 'POST optimizationactions', 1],
  ['cordon', 'after', 'PATCH nodes', 1],
  ['cordon', 'after', 'backend POST result', 1],
  ['cordon', 'before', 'PATCH optimizationactions/status (Reported)', 1],
  ['uncordon', 'after', 'PATCH nodes', 1],
  ['evict', 'after', 'POST pods/eviction', 1],
  ['evict', 'before', 'PATCH optimizationactions/status', 2],
  ['drain', 'after', 'PATCH nodes', 1],
  ['drain-fails', 'after', 'PATCH nodes', 2],
  ['session-start', 'after', 'POST sessions', 1],
  ['session-hibernate-foreign', 'after', 'PATCH sessions/status', 1],
] as const)('F1 N11 A49 A50 %s survives a kill %s %s #%i', async (name, moment, kind, nth) => {
  const each = cases.find((one) => one.name === name);
  if (!each) throw new Error(`no case is called ${name}`);
  const { killed, failure } = await attempt(each, lane, { kind, nth, moment });
  expect(failure?.faults ?? []).toEqual([]);
  expect(killed).toBe(true);
});
