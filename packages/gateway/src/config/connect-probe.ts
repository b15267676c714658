import { connect } from 'node:net';
import type { ConnectProbe } from './checks.ts';

/** Opens a TCP or Unix connection and closes it as soon as it stands. */
export const nodeConnectProbe: ConnectProbe = (target, timeoutMs) =>
  new Promise((resolve, reject) => {
    const socket = 'socketPath' in target ? connect(target.socketPath) : connect(target.port, target.host);
    const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${timeoutMs} ms`)), timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    });
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
  });
