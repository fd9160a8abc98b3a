import { expect, test } from 'vitest';
import { containerPorts, servicePorts, streamingPort } from '../../operator/sessions/ports.ts';
import { workload } from './sessions.ts';

const tcp = (name: string, containerPort: number) => ({ name, containerPort, protocol: 'TCP' as const });

test.each([
  ['what the image is known for', { image: 'lscr.io/linuxserver/firefox', ports: [tcp('vnc', 5900)] }, 3000],
  ['before what the template says', { image: 'kasmweb/chrome:1.16', vnc: { port: 3000 } }, 6901],
  ['guacamole', { image: 'guacamole/guacd' }, 8080],
  ['x2go', { image: 'example.com/x2go-desk' }, 22],
  ['what the template says', { vnc: { port: 8444 }, ports: [tcp('metrics', 8080)] }, 8444],
  ['the first usual port', { ports: [tcp('a', 22), tcp('vnc', 5900), tcp('web', 3000)] }, 5900],
  ['the first port', { ports: [tcp('a', 9000), tcp('b', 9001)] }, 9000],
  ['not a UDP port', { ports: [{ name: 'a', containerPort: 5900, protocol: 'UDP' as const }] }, 3000],
  ['3000', {}, 3000],
])('4.2 the desktop is served on: %s', (_, more, port) => {
  expect(streamingPort(workload(more))).toBe(port);
});

const shown = (ports: readonly { name: string; number: number; protocol: string }[]) =>
  ports.map(({ name, number, protocol }) => `${name}:${number}${protocol === 'UDP' ? '/udp' : ''}`).join(' ');

test.each([
  [{}, 'vnc:3000', 'vnc:3000'],
  [{ vnc: { port: 5901 } }, 'vnc:5901', 'vnc:5901 http:3000'],
  [{ image: 'kasmweb/chrome' }, 'vnc:6901', 'vnc:6901 http:3000'],
  [{ ports: [tcp('web', 8080)] }, 'web:8080', 'web:8080 http:3000'],
  [{ ports: [tcp('vnc', 5900)], vnc: { port: 5900 } }, 'vnc:5900', 'vnc:5900 http:3000'],
  [{ ports: [tcp('vnc', 9000)], vnc: { port: 5900 } }, 'vnc:9000', 'vnc:9000 port-5900:5900 http:3000'],
  [{ ports: [tcp('a', 9000), tcp('b', 9000)] }, 'a:9000', 'a:9000 http:3000'],
  [{ ports: [tcp('port-3000', 9000), tcp('http', 9001)] }, 'port-3000:9000 http:9001', 'port-3000:9000 http:9001 port-3000-b:3000'],
  [
    { ports: [tcp('123', 53), { ...tcp('1--2', 53), protocol: 'UDP' as const }] },
    'port-53:53 udp-53:53/udp',
    'port-53:53 udp-53:53/udp http:3000',
  ],
])('%j: container %s, Service %s', (more, container, service) => {
  expect(shown(containerPorts(workload(more)))).toBe(container);
  expect(shown(servicePorts(workload(more)))).toBe(service);
});
