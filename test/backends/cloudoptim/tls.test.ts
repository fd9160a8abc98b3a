import { describe, expect, test } from 'vitest';
import { makeCertificate } from '../certificate.ts';
import { calm, startRig } from './rig.ts';

const tls = makeCertificate();

describe.each([
  ['its own authority', { caBundle: tls.cert }],
  ['no verification', { insecureSkipVerify: true }],
])('https and wss with %s', (_name, settings) => {
  test('calls and the socket work', async () => {
    const { backend, adapter, tasks, until, connected } = await startRig({ backend: { tls }, settings: { tls: settings } });
    await connected();
    backend.pushTask({ task_id: 't1', task_type: 'cordon_node', parameters: { node_name: 'w1' } });
    await until(() => tasks.length === 1);
    await adapter.heartbeat.beat('starting', calm);
    expect(backend.violations).toEqual([]);
  });
});

test.each([
  ['the system’s authorities', {}],
  ['another authority', { caBundle: makeCertificate().cert }],
  ['an authority that is no PEM', { caBundle: '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----' }],
])('with %s nothing is sent, and it is said why', async (_name, settings) => {
  const { backend, adapter, contacts, until } = await startRig({ backend: { tls }, settings: { tls: settings } });
  await expect(adapter.heartbeat.beat('starting', calm)).rejects.toMatchObject({
    status: 0,
    message: expect.stringMatching(/certificate|PEM|asn1|DECODER/i),
  });
  await until(
    () => contacts.some((event) => event.kind === 'unreachable') && contacts.some((event) => event.kind === 'streaming' && !event.open),
  );
  expect(backend.heard.requests).toEqual([]);
});
