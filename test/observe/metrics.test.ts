import { expect, test } from 'vitest';
import { makeMetrics } from '../../operator/observe/metrics.ts';

/** Labels whose values are few and known: actions, phases, backends, resources, controllers, and our own words. */
const BOUNDED = new Set(['action', 'phase', 'backend', 'outcome', 'what', 'resource', 'controller', 'why', 'type', 'method', 'code']);

test('every metric of ours has the prefix, a unit where it counts something, a sentence of help, and bounded labels', async () => {
  const { registry } = makeMetrics();
  const own = (await registry.getMetricsAsJSON()).filter((metric) => metric.name.startsWith('cloudoptim'));
  expect(own.length).toBeGreaterThan(10);
  for (const { name, help, type } of own) {
    expect(name).toMatch(/^cloudoptim_[a-z_]+$/);
    expect(help).toMatch(/^[A-Z1].*\.$/);
    expect(name.endsWith('_total'), name).toBe(String(type) === 'counter');
  }
  const labels = Object.values(makeMetrics()).flatMap((metric) => ('labelNames' in metric ? (metric.labelNames as string[]) : []));
  expect(labels.filter((label) => !BOUNDED.has(label))).toEqual([]);
});

test('two sets of metrics do not know each other, so that tests and a second start in one process work', async () => {
  const [first, second] = [makeMetrics(), makeMetrics()];
  first.passErrors.inc({ controller: 'actions' });
  expect(await first.registry.metrics()).toContain('cloudoptim_pass_errors_total{controller="actions"} 1');
  expect(await second.registry.metrics()).not.toContain('cloudoptim_pass_errors_total{controller="actions"} 1');
});

test('the process itself is measured too', async () => {
  expect(await makeMetrics().registry.metrics()).toContain('process_resident_memory_bytes');
});
