import type { Named } from './named.ts';

/** An address to listen on. */
export interface SocketAddress {
  /** An IP address, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** TLS versions as Node's `tls` names them. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** A certificate and what it is shown to. */
export interface SniCertificate {
  /** Server names: exact, or `*.` and a name for one label below it. Empty = those the certificate tells. */
  readonly hostnames: readonly string[];
  /** Names this certificate serves although another one claims them too. */
  readonly priorityHostnames: readonly string[];
  readonly certFile: string;
  readonly keyFile: string;
}

/** A folder of certificates that tell by themselves which names they serve. */
export interface SniCertFolder {
  readonly certFolder: string;
  readonly reloadMode: 'off' | 'interval' | 'watch';
  readonly reloadIntervalMs: number;
}

/** The `tls` block of a listener. */
export interface ListenerTlsConfig {
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities whose client certificates are accepted. */
  readonly caFile?: string;
  readonly minVersion: TlsVersion;
  readonly maxVersion?: TlsVersion;
  /** Whether clients must show a certificate. */
  readonly clientAuth: boolean;
  readonly ocspStapling: boolean;
  readonly sessionResumption: boolean;
  /** In order of preference; empty = the runtime's own. */
  readonly cipherSuites: readonly string[];
  readonly sni: readonly SniCertificate[];
  readonly sniCerts?: SniCertFolder;
  /** Whether two certificates may claim one name; the first written is then shown. */
  readonly allowSniOverlaps: boolean;
}

/** One `listener`. */
export interface ListenerConfig extends Named {
  readonly address: SocketAddress;
  readonly protocol: 'http' | 'https';
  /** Present when `protocol` is `https`. */
  readonly tls?: ListenerTlsConfig;
  /** The route of requests that match none. */
  readonly defaultRoute?: string;
  /** For a whole request, from its head to the last byte of the answer; 0 = no limit. */
  readonly requestTimeoutMs: number;
  /** How long a client connection may idle. */
  readonly keepaliveTimeoutMs: number;
  /** For a whole request head. */
  readonly headTimeoutMs: number;
  /** For agreeing about TLS. */
  readonly handshakeTimeoutMs: number;
  /** HTTP/2 streams of one connection. */
  readonly maxConcurrentStreams: number;
  /** Requests after which an HTTP/1.1 connection is closed; absent = any number. */
  readonly keepaliveMaxRequests?: number;
}
