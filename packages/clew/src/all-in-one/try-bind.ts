import { createSocket } from 'node:dgram';
import { createServer, isIPv6 } from 'node:net';

/** The error code of binding, or undefined when it works. */
export function tryBind(transport: 'tcp' | 'udp', host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const failed = (error: NodeJS.ErrnoException): void => resolve(error.code ?? error.message);
    if (transport === 'udp') {
      const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4').once('error', failed);
      socket.bind({ address: host, port, exclusive: true }, () => socket.close(() => resolve(undefined)));
      return;
    }
    const server = createServer().once('error', failed);
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
