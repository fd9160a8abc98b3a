import { readFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { KubeConfig } from '@kubernetes/client-node';
import { onTestFinished } from 'vitest';
import { KubeClient } from '../../operator/kube/client.ts';
import { Credentials } from '../../operator/kube/credentials.ts';
import { PortForwarder } from '../../operator/kube/port-forward.ts';

/** Forwards ports with the rights of a kubeconfig, through a server of another address where one is given. */
export function forwarderOf(kubeconfig: string, replace: readonly [string, string] = ['', '']): PortForwarder {
  const config = new KubeConfig();
  config.loadFromString(readFileSync(kubeconfig, 'utf8').replaceAll(...replace));
  const credentials = new Credentials(config);
  const client = new KubeClient(credentials);
  onTestFinished(() => client.close());
  return new PortForwarder(credentials, client);
}

/** A TCP server on 127.0.0.1 that stands for what listens in a pod; it and its connections end after the test. */
export async function startTarget(serve: (socket: Socket) => void): Promise<{ port: number; sockets: Set<Socket>; server: Server }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as { port: number }).port, sockets, server };
}
