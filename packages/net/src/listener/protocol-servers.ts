import http from 'node:http';
import http2 from 'node:http2';
import type { Socket } from 'node:net';
import type { ResolvedConnectionSettings } from './connection-defaults.ts';

/** An HTTP/1.1 server that also owns the listening socket; `accept` hands it a connection someone else looked at. */
export interface Http1Server {
  readonly server: http.Server;
  readonly accept: (socket: Socket) => void;
}

/** How often node:http looks for heads and requests that take too long. */
const timeoutCheckMs = 1000;

/** Room for uploads in flight: with HTTP/2's default of 64 KiB a sender would wait for every window update. */
const streamWindowBytes = 1024 * 1024;
const sessionWindowBytes = 8 * 1024 * 1024;

/** node:http2's own memory bound per session, in MiB; it must exceed the window. */
const sessionMemoryMib = 64;

const maxHeaderPairs = 256;

/** node:http's server, with its way of taking connections set aside. */
export function createHttp1Server(settings: ResolvedConnectionSettings): Http1Server {
  const { headerTimeoutMs, requestTimeoutMs } = settings;
  const server = http.createServer({
    keepAliveTimeout: settings.idleTimeoutMs,
    headersTimeout: requestTimeoutMs > 0 ? Math.min(headerTimeoutMs, requestTimeoutMs) : headerTimeoutMs,
    requestTimeout: requestTimeoutMs,
    maxHeaderSize: settings.maxHeaderBytes,
    connectionsCheckingInterval: timeoutCheckMs,
    noDelay: true,
  });
  const native = server.listeners('connection') as ((socket: Socket) => void)[];
  server.removeAllListeners('connection');
  return {
    server,
    accept: (socket) => {
      for (const listener of native) listener.call(server, socket);
    },
  };
}

/** node:http2's server; it never listens and takes connections by `emit('connection')`. */
export function createHttp2Server(settings: ResolvedConnectionSettings): http2.Http2Server {
  const server = http2.createServer({
    settings: {
      maxConcurrentStreams: settings.maxConcurrentStreams,
      initialWindowSize: streamWindowBytes,
      maxHeaderListSize: settings.maxHeaderBytes,
    },
    maxHeaderListPairs: maxHeaderPairs,
    maxSessionMemory: sessionMemoryMib,
    // The library's own guard stands behind ours, which also counts and names what it does.
    streamResetBurst: settings.streamResetBurst * 2,
    streamResetRate: settings.streamResetsPerSecond * 2,
  });
  server.on('session', (session) => session.setLocalWindowSize(sessionWindowBytes));
  return server;
}
