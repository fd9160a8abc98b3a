import { expect, test } from 'vitest';
import { baseURL, socketURL } from '../../operator/backends/base-url.ts';

test.each([
  ['https://central.cloudoptim.io', 'https://central.cloudoptim.io'],
  ['https://central.cloudoptim.io/', 'https://central.cloudoptim.io'],
  ['https://h:8443/api/v1', 'https://h:8443'],
  ['https://h/api/v1/', 'https://h'],
  ['wss://h/ws', 'https://h'],
  ['ws://h:1/ws/cluster/prod%201/', 'http://h:1'],
  ['https://h/prefix/api/v1/', 'https://h/prefix'],
  ['https://h/api/v1/ws/cluster/c?agent_id=a#x', 'https://h'],
  [' https://h/browse ', 'https://h/browse'],
])('the base of %s is %s', (given, base) => {
  expect(baseURL(given)).toBe(base);
});

test.each(['', 'central.example.com', 'ftp://h', 'https://user:secret@h', '/api/v1', 'http://'])(
  '%j is refused without being quoted',
  (given) => {
    expect(() => baseURL(given)).toThrow(TypeError);
    expect(() => baseURL(given)).not.toThrow('secret');
  },
);

test.each([
  ['https://h', 'wss://h/a/stream'],
  ['http://h:1/api/v1', 'ws://h:1/a/stream'],
  ['wss://h/a/stream', 'wss://h/a/stream'],
  ['https://h/p/a/stream/?cluster_id=x', 'wss://h/p/a/stream'],
])('the socket of %s is %s', (given, url) => {
  expect(socketURL(given, '/a/stream')).toBe(url);
});
