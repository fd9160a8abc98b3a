import type { SessionFacts } from '../backend.ts';
import type { VNCMessage } from './frames.ts';
import { type OutboundMessage, vncError } from './outbound.ts';

/** Who answers the VNC messages of the control plane (streamspace.md 6). Nothing here may wait: it is called while the socket is read. */
export interface VNC {
  /** A message of a browser, or that it is gone. */
  receive(message: VNCMessage): void;
  /** The control plane was told that this session runs: a browser may come. */
  running(session: SessionFacts): void;
  /** The control plane was told that this session runs no more. */
  ended(session: SessionFacts): void;
  /** A connection to the control plane opened; its queues are empty. */
  connected(): void;
  /** The connection to the control plane ended; what it carried is lost. */
  disconnected(): void;
}

/** Sends a message; resolves when it was handed to the network, rejects with BackendError when no connection is open. */
export type Send = (message: OutboundMessage) => Promise<void>;

/** Without tunnels a browser would wait for ever: an error that is queued ahead of it ends it at once. */
export function withoutTunnels(send: Send): VNC {
  const close = (sessionID: string) => {
    const message = 'this cluster tunnels no VNC: the OptimizationBackend has spec.vnc switched off';
    // Without a connection there is no browser either.
    send(vncError(sessionID, message)).catch(() => undefined);
  };
  return {
    receive: (message) => {
      if (message.type === 'vnc_close') close(message.sessionID);
    },
    running: (session) => close(session.sessionID),
    ended: () => undefined,
    connected: () => undefined,
    disconnected: () => undefined,
  };
}
