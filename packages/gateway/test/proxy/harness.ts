// What tests of the proxy share: gateways with a recorder, backends, and clients that write raw bytes.
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, RequestListener, RequestOptions, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { silentTelemetry } from '@clew/base';
import { afterEach } from 'vitest';
import type { Exchange } from '../../src/proxy/exchange.ts';
import { blindObserver } from '../../src/proxy/observer.ts';
import type {
  AgentVerdict,
  CertificateReload,
  GatewayObserver,
  HealthChange,
  ReloadOutcome,
  TraceStarter,
} from '../../src/proxy/observer.ts';
import { GatewayServer } from '../../src/proxy/server/gateway-server.ts';
import type { GatewayServerOptions } from '../../src/proxy/server/gateway-server.ts';
import { configOf } from '../../src/test/load-text.ts';
import type { GatewayConfig } from '../../src/config/model.ts';

export { freePort } from '@clew/testkit';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Runs when the test is over, last one first. */
export function onEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

/** Waits until `read` gives something true. */
export async function eventually<T>(read: () => T | Promise<T>, what = 'the condition'): Promise<NonNullable<T>> {
  const endMs = performance.now() + 20_000;
  for (;;) {
    const value = await read();
    if (value) return value;
    if (performance.now() > endMs) throw new Error(`${what} did not come about`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Remembers what the proxy reported. */
export class Recorder implements GatewayObserver {
  readonly started: Exchange[] = [];
  readonly ended: Exchange[] = [];
  readonly health: HealthChange[] = [];
  readonly circuit: string[] = [];
  readonly verdicts: AgentVerdict[] = [];
  readonly rates: string[] = [];
  readonly reloads: ReloadOutcome[] = [];
  readonly certificates: CertificateReload[] = [];
  readonly handshakes: string[] = [];
  attemptsStarted = 0;
  attemptsEnded = 0;
  callsStarted = 0;
  callsEnded = 0;
  openConnections = 0;
  connectionOpened(): void {
    this.openConnections++;
  }
  connectionClosed(): void {
    this.openConnections--;
  }
  handshakeFailed(listenerId: string, reason: string): void {
    this.handshakes.push(`${listenerId} ${reason}`);
  }
  certificatesReloaded(reload: CertificateReload): void {
    this.certificates.push(reload);
  }
  requestStarted(exchange: Exchange): void {
    this.started.push(exchange);
  }
  attemptStarted(): void {
    this.attemptsStarted++;
  }
  attemptEnded(exchange: Exchange): void {
    if (this.ended.includes(exchange)) throw new Error('an attempt ended after its request');
    this.attemptsEnded++;
  }
  agentCallStarted(): void {
    this.callsStarted++;
  }
  agentCallEnded(exchange: Exchange): void {
    if (this.ended.includes(exchange)) throw new Error('an agent call ended after its request');
    this.callsEnded++;
  }
  agentsDecided(_exchange: Exchange, verdict: AgentVerdict): void {
    this.verdicts.push(verdict);
  }
  rateLimited(_exchange: Exchange, id: string, action: string): void {
    this.rates.push(`${id} ${action}`);
  }
  requestEnded(exchange: Exchange): void {
    if (this.ended.includes(exchange)) throw new Error('a request ended twice');
    this.ended.push(exchange);
  }
  healthChanged(change: HealthChange): void {
    this.health.push(change);
  }
  breakerChanged(_upstream: string, state: string): void {
    this.circuit.push(state);
  }
  agentBreakerChanged(agent: string, state: string): void {
    this.circuit.push(`agent ${agent} ${state}`);
  }
  reloaded(outcome: ReloadOutcome): void {
    this.reloads.push(outcome);
  }

  /** The n-th exchange that ended, when it has. */
  async exchange(index = 0): Promise<Exchange> {
    return eventually(() => this.ended[index], `the end of request ${index}`);
  }
}

/** A gateway that listens on 127.0.0.1. */
export interface TestGateway {
  readonly server: GatewayServer;
  readonly recorder: Recorder;
  readonly config: GatewayConfig;
  readonly port: number;
  readonly url: string;
}

/** Loads a configuration; listeners are on ports of the system's choosing unless the text has its own. */
export function proxyConfig(text: string): Promise<GatewayConfig> {
  const system = /^\s*system\b/m.test(text) ? '' : 'system {}\n';
  const listeners = /^\s*listeners\b/m.test(text) ? '' : 'listeners { listener "http" { address "127.0.0.1:0" } }\n';
  return configOf(`${system}${listeners}${text}`);
}

/** Starts a gateway; it ends with the test. */
export async function startGateway(
  text: string | GatewayConfig,
  options: Partial<GatewayServerOptions> = {},
): Promise<TestGateway> {
  const recorder = new Recorder();
  const config = typeof text === 'string' ? await proxyConfig(text) : text;
  const server = new GatewayServer({ telemetry: silentTelemetry, observer: recorder, version: '0.0.0', ...options });
  await server.start(config);
  onEnd(() => server.drain(0));
  const { port } = server.snapshot().listeners[0]!;
  return { server, recorder, config, port, url: `http://127.0.0.1:${port}` };
}

/** A backend: what it got, and how to stop it. */
export interface Backend {
  readonly port: number;
  readonly server: Server;
  readonly requests: IncomingMessage[];
  close(): Promise<void>;
}

/** Starts an HTTP server on 127.0.0.1. */
export async function startBackend(handler: RequestListener, port = 0): Promise<Backend> {
  const requests: IncomingMessage[] = [];
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    requests.push(request);
    handler(request, response);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onEnd(close);
  return { port: (server.address() as AddressInfo).port, server, requests, close };
}

/** Starts a TCP server whose connections `handler` gets. */
export async function startTcp(handler: (socket: Socket) => void): Promise<number> {
  const { createServer: createTcp } = await import('node:net');
  const sockets = new Set<Socket>();
  const server = createTcp((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    handler(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onEnd(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A response as a client sees it. */
export interface ClientResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: string;
  readonly trailers: NodeJS.Dict<string>;
}

/** Makes a request without touching its headers. */
export function send(
  gateway: { readonly port: number },
  path: string,
  options: RequestOptions & { readonly body?: string | Buffer } = {},
): Promise<ClientResponse> {
  const { body, ...rest } = options;
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: gateway.port, path, agent: false, ...rest }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          rawHeaders: response.rawHeaders,
          body: Buffer.concat(chunks).toString(),
          trailers: response.trailers,
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Writes bytes and reads until the gateway closes the connection. */
export function exchangeBytes(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') resolve(text);
      else reject(error);
    });
    socket.on('close', () => resolve(text));
    socket.write(bytes, 'latin1');
  });
}

/** A trace starter with ids that can be told apart. */
export function countingTraces(sampled = true): TraceStarter & { readonly spanIds: string[] } {
  const spanIds: string[] = [];
  const next = (): string => {
    const id = (spanIds.length + 1).toString(16).padStart(16, '0');
    spanIds.push(id);
    return id;
  };
  return {
    spanIds,
    startRequest(exchange) {
      const traceId = 'ab'.repeat(16) as typeof exchange.trace.traceId;
      exchange.trace.assign('', traceId, next() as typeof exchange.trace.spanId, sampled ? 1 : 0, true);
    },
    newSpanId: next,
  };
}

export { blindObserver };
