import type { SecureContextOptions } from 'node:tls';
import { readTlsMaterials } from './materials.ts';
import type { TlsClientSettings } from './settings.ts';

/** What Node needs to connect with TLS. */
export interface TlsConnectOptions extends SecureContextOptions {
  readonly rejectUnauthorized: boolean;
  readonly servername?: string;
}

/**
 * Node's options for connecting with TLS. Files are read anew by every call, so that a renewed certificate is used
 * from the next connection on. Fails with `tls_config`.
 */
export function tlsConnectOptions(settings: TlsClientSettings): TlsConnectOptions {
  return {
    ...readTlsMaterials(settings),
    rejectUnauthorized: !settings.insecureSkipVerify,
    ...(settings.serverNameOverride ? { servername: settings.serverNameOverride } : {}),
  };
}
