import { watchFile, unwatchFile } from 'node:fs';
import { createServer } from 'node:tls';
import type { SecureContextOptions, Server } from 'node:tls';
import { readPem, readTlsMaterials, tlsError } from './materials.ts';
import type { TlsServerSettings } from './settings.ts';

/** A TLS server that does not listen: connections are given to it. */
export interface TlsAcceptor {
  readonly server: Server;
  /** Ends reloading. */
  close(): void;
}

/** Time for a handshake; one takes milliseconds, and a stalled one holds a connection. */
const handshakeTimeoutMs = 10_000;
const caWatchIntervalMs = 5_000;

/** Builds the TLS side of a listener. Fails with `tls_config`; a failed reload keeps the old certificate and is told. */
export function createTlsServer(settings: TlsServerSettings, onNotice: (text: string) => void): TlsAcceptor {
  const options = serverOptions(settings);
  let server: Server;
  try {
    server = createServer({
      ...options,
      ALPNProtocols: ['h2', 'http/1.1'],
      handshakeTimeout: handshakeTimeoutMs,
      requestCert: settings.clientCaFile !== undefined,
      rejectUnauthorized: settings.clientCaFile !== undefined,
    });
  } catch (cause) {
    throw tlsError(cause instanceof Error ? cause.message : String(cause), cause);
  }
  const reload = (): void => {
    try {
      server.setSecureContext(serverOptions(settings));
    } catch (caught) {
      onNotice(`the TLS certificate was not reloaded, the old one stays: ${String(caught)}`);
    }
  };
  return { server, close: startReloading(settings, reload) };
}

function serverOptions(settings: TlsServerSettings): SecureContextOptions {
  const options = readTlsMaterials(settings);
  if (options.cert === undefined) throw tlsError('a server needs cert_file and key_file, or cert_pem and key_pem');
  if (settings.clientCaFile === undefined) return options;
  return { ...options, ca: readPem('client_ca_file', settings.clientCaFile) };
}

function startReloading(settings: TlsServerSettings, reload: () => void): () => void {
  const intervalMs = settings.reloadIntervalMs ?? 0;
  const timer = intervalMs > 0 ? setInterval(reload, intervalMs).unref() : undefined;
  const watched = settings.clientCaFileReload ? settings.clientCaFile : undefined;
  if (watched !== undefined) watchFile(watched, { interval: caWatchIntervalMs, persistent: false }, reload);
  return () => {
    clearInterval(timer);
    if (watched !== undefined) unwatchFile(watched, reload);
  };
}
