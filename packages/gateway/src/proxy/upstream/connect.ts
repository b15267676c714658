import { readFileSync } from 'node:fs';
import { connect as connectTcp, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { errorMessage } from '@clew/base';
import type { ClientTlsConfig, TargetConfig } from '../../config/model/upstream.ts';
import { connectShared } from '../http1/socket-bytes.ts';
import type { HostResolver } from './resolver.ts';
import { GatewayError } from '../../errors.ts';

/** How connections to a target are made. */
export interface ConnectSettings {
  readonly target: TargetConfig;
  readonly tls: ClientTlsConfig | undefined;
  readonly resolver: HostResolver;
  /** The socket, if it is a plain one, is read by `readBytes` only. */
  readonly shared?: boolean;
}

/** After this silence the system asks whether the other side is still there. */
const keepAliveProbeMs = 30_000;

let rotation = 0;

/**
 * Connects to a target, trying its addresses one after the other. Fails with the `GatewayError` that says which step did
 * not succeed: `dns_error`, `connection_refused`, `connection_timeout` or `tls_error`.
 *
 * @param timeoutMs for everything together: name, connection and handshake
 */
export async function connectTarget(settings: ConnectSettings, timeoutMs: number): Promise<Socket> {
  const { target, resolver, tls } = settings;
  const endMs = performance.now() + timeoutMs;
  const name = `${target.host}:${target.port}`;
  const addresses = await withinTime(resolveTarget(resolver, target, name), timeoutMs, name);
  const first = rotation++ % addresses.length;
  let last: GatewayError | undefined;
  for (let index = 0; index < addresses.length; index++) {
    const address = addresses[(first + index) % addresses.length]!;
    const leftMs = endMs - performance.now();
    if (leftMs <= 0) break;
    try {
      // All but the last address get a part of the time, so that a dead one does not use it up.
      const shareMs = index === addresses.length - 1 ? leftMs : Math.max(leftMs / 2, 1);
      const socket = await openSocket(target, address, shareMs, settings.shared === true && tls === undefined);
      if (tls === undefined) return socket;
      return await handshake(socket, target, tls, Math.max(endMs - performance.now(), 1));
    } catch (caught) {
      if (!(caught instanceof GatewayError)) throw caught;
      last = caught;
      if (caught.code === 'tls_error') break;
    }
  }
  throw last ?? timedOut(name, timeoutMs);
}

async function resolveTarget(resolver: HostResolver, { host }: TargetConfig, name: string): Promise<readonly string[]> {
  try {
    return await resolver.resolve(host);
  } catch (cause) {
    throw new GatewayError('dns_error', `cannot find an address for ${name}: ${errorMessage(cause)}`, { cause });
  }
}

function timedOut(name: string, timeoutMs: number): GatewayError {
  return new GatewayError('connection_timeout', `connecting to ${name} took longer than ${Math.round(timeoutMs)} ms`);
}

async function withinTime<T>(work: Promise<T>, timeoutMs: number, name: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(timedOut(name, timeoutMs)), timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function openSocket(target: TargetConfig, address: string, timeoutMs: number, shared: boolean): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const options = { host: address, port: target.port, noDelay: true };
    const socket = shared ? connectShared((onread) => connectTcp({ ...options, onread })) : connectTcp(options);
    const name = `${target.host}:${target.port} (${address})`;
    const timer = setTimeout(() => {
      socket.destroy();
      reject(timedOut(name, timeoutMs));
    }, timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      socket.setKeepAlive(true, keepAliveProbeMs);
      resolve(socket);
    });
    socket.once('error', onError);
    function onError(cause: NodeJS.ErrnoException): void {
      clearTimeout(timer);
      const code = cause.code === 'ETIMEDOUT' ? 'connection_timeout' : 'connection_refused';
      reject(new GatewayError(code, `cannot connect to ${name}: ${errorMessage(cause)}`, { cause }));
    }
  });
}

function handshake(socket: Socket, target: TargetConfig, tls: ClientTlsConfig, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const name = `${target.host}:${target.port}`;
    const fail = (cause: unknown): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new GatewayError('tls_error', `no TLS with ${name}: ${errorMessage(cause)}`, { cause }));
    };
    const timer = setTimeout(() => {
      socket.destroy();
      reject(timedOut(`${name} with TLS`, timeoutMs));
    }, timeoutMs);
    let secure;
    try {
      secure = connectTls({ ...tlsOptions(target, tls), socket });
    } catch (caught) {
      fail(caught);
      return;
    }
    const established = secure;
    established.once('error', fail);
    established.once('secureConnect', () => {
      clearTimeout(timer);
      established.off('error', fail);
      resolve(established);
    });
  });
}

/** Files are read for every connection, so that renewed certificates are used from the next one on. */
function tlsOptions(target: TargetConfig, tls: ClientTlsConfig): ConnectionOptions {
  const servername = tls.sni ?? (isIP(target.host) === 0 ? target.host : undefined);
  return {
    host: target.host,
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: !tls.insecureSkipVerify,
    ...(servername === undefined ? {} : { servername }),
    ...(tls.caCertFile === undefined ? {} : { ca: readFileSync(tls.caCertFile) }),
    ...(tls.clientCertFile === undefined ? {} : { cert: readFileSync(tls.clientCertFile) }),
    ...(tls.clientKeyFile === undefined ? {} : { key: readFileSync(tls.clientKeyFile) }),
  };
}
