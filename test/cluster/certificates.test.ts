import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAuthority } from './certificates.ts';
import { oid } from './der.ts';

const authority = createAuthority('some-ca');
const root = new X509Certificate(authority.cert);

test('the authority is self-signed and may sign', () => {
  expect(root.ca).toBe(true);
  expect(root.verify(root.publicKey)).toBe(true);
});

test('a serving certificate covers its names and addresses and nothing else', () => {
  const pair = authority.server(['localhost', 'kubernetes.default.svc'], ['127.0.0.1']);
  const cert = new X509Certificate(pair.cert);
  expect(cert.verify(root.publicKey)).toBe(true);
  expect(cert.checkHost('localhost')).toBe('localhost');
  expect(cert.checkIP('127.0.0.1')).toBe('127.0.0.1');
  expect(cert.checkHost('example.org')).toBeUndefined();
});

test('a client certificate names the user and its groups', () => {
  const cert = new X509Certificate(authority.client('jane', ['system:masters', 'dev']).cert);
  expect(cert.subject.split('\n').sort()).toEqual(['CN=jane', 'O=dev', 'O=system:masters']);
  expect(cert.ca).toBe(false);
  expect(cert.verify(root.publicKey)).toBe(true);
});

test.each([
  ['2.5.4.3', '0603550403'],
  ['1.2.840.10045.4.3.2', '06082a8648ce3d040302'],
])('object identifier %s', (dotted, hex) => {
  expect(oid(dotted).toString('hex')).toBe(hex);
});
