import { expect, test } from 'vitest';
import type { JsonObject } from '../../operator/lib/json.ts';
import { controlPlane, tenant } from '../cluster/shared.ts';
import { collection, object, type Plural } from './admission.ts';
import { backend } from './backend-rule-cases.ts';

const { namespace } = await tenant('defaults');

async function stored(plural: Plural, spec: JsonObject): Promise<JsonObject> {
  const made = await controlPlane.api.create<{ spec: JsonObject }>(collection(namespace, plural), object(plural, 'plain', spec));
  return made.spec;
}

test('an action gets the defaults of the contract', async () => {
  const spec = { action: 'Cordon', cordon: { nodeName: 'worker-3' } };
  expect(await stored('optimizationactions', spec)).toEqual({
    ...spec,
    mode: 'Execute',
    priority: 5,
    suspend: false,
    cancel: false,
  });
});

test('a backend gets the defaults of the contract', async () => {
  expect(await stored('optimizationbackends', { ...backend, tls: { caBundleSecretRef: { name: 'authorities' } } })).toEqual({
    ...backend,
    intervals: { poll: '10s', metrics: '60s' },
    suspend: false,
    tls: { caBundleSecretRef: { name: 'authorities', key: 'ca.crt' }, insecureSkipVerify: false },
  });
});

test('the result keeps members that no schema names', async () => {
  const path = `${collection(namespace, 'optimizationactions')}/plain/status`;
  const result = { evicted: 12, before: { labels: { a: 'b' } }, remaining: ['shop/cart-0'] };
  const { status } = await controlPlane.api.patch<{ status: JsonObject }>(path, { status: { result, other: 1 } });
  expect(status).toEqual({ result });
});
