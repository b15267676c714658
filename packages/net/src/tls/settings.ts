/** TLS versions as configuration writes them. */
export type TlsVersion = '1.0' | '1.1' | '1.2' | '1.3';

/** What both ends of TLS share. File and PEM forms exclude each other. */
export interface TlsCommonSettings {
  readonly caFile?: string;
  readonly caPem?: string;
  /** Trust the system's roots besides `caFile`/`caPem`. Default false. */
  readonly includeSystemCaCertsPool?: boolean;
  readonly certFile?: string;
  readonly certPem?: string;
  readonly keyFile?: string;
  readonly keyPem?: string;
  /** Default '1.2'. */
  readonly minVersion?: TlsVersion;
  /** Default '1.3'. */
  readonly maxVersion?: TlsVersion;
  /** Names as IANA or OpenSSL write them. */
  readonly cipherSuites?: readonly string[];
  /** Curve names, such as X25519 or P256. */
  readonly curvePreferences?: readonly string[];
  /** Re-read the own certificate this often; 0 = never. */
  readonly reloadIntervalMs?: number;
}

/** TLS of a server. */
export interface TlsServerSettings extends TlsCommonSettings {
  /** Presence means a client must present a certificate these roots verify. */
  readonly clientCaFile?: string;
  /** Re-read `clientCaFile` when it changes. Default false. */
  readonly clientCaFileReload?: boolean;
}

/** TLS of a client. */
export interface TlsClientSettings extends TlsCommonSettings {
  /** Speak plaintext. Default false. */
  readonly insecure?: boolean;
  /** Encrypt without verifying the server. Default false. */
  readonly insecureSkipVerify?: boolean;
  /** Name to ask for and to verify, instead of the endpoint's host. */
  readonly serverNameOverride?: string;
}
