import { X509Certificate, constants, createHash, hkdfSync } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, watch } from 'node:fs';
import { join, parse } from 'node:path';
import { createSecureContext } from 'node:tls';
import type { SecureContext, SecureContextOptions } from 'node:tls';
import { errorMessage } from '@clew/base';
import type { ListenerTlsConfig } from '../../config/model/listener.ts';
import type { CertificateChain } from './ocsp/ocsp-stapler.ts';
import { GatewayError } from '../../errors.ts';

/** File changes come in bursts. */
const settleMs = 200;

const TICKET_KEY_BYTES = 48;
/** As text twice as long, which is all that OpenSSL takes. */
const CONTEXT_BYTES = 16;

interface NamedContext {
  readonly certFile: string;
  readonly context: SecureContext;
  readonly names: readonly string[];
  readonly priorityNames: readonly string[];
}

/** Is told of certificates. */
export interface CertificateListener {
  /** Files were read anew; `changed` when other certificates are shown from now on. */
  onReloaded(changed: boolean): void;
  /** What could not be done, for people. */
  onProblem(text: string): void;
  /** Files cannot be read anew, for another reason than the last time; the old certificates stay. */
  onReloadFailed(error: string): void;
}

/** What a listener shows to clients: which certificate for which server name. */
export class CertificateStore {
  readonly #listenerId: string;
  readonly #config: ListenerTlsConfig;
  readonly #ticketSecret: Uint8Array;
  #default: SecureContext;
  #defaultOptions: SecureContextOptions = {};
  #exact = new Map<string, SecureContext>();
  #wildcards = new Map<string, SecureContext>();
  #chains: readonly CertificateChain[] = [];
  #listener: CertificateListener | undefined;
  /** Names that more than one certificate claims, as texts. */
  #overlaps: readonly string[] = [];
  #lastFailure = '';

  /**
   * Reads all files. Fails with `tls_config`, naming the listener and the file. Stores with the same `ticketSecret`, in whichever threads,
   * resume each other's sessions.
   */
  constructor(listenerId: string, config: ListenerTlsConfig, ticketSecret: Uint8Array) {
    this.#listenerId = listenerId;
    this.#config = config;
    this.#ticketSecret = ticketSecret;
    this.#default = this.#load();
  }

  /** Every certificate that may be shown. */
  get chains(): readonly CertificateChain[] {
    return this.#chains;
  }

  /** For names no certificate claims, and clients that name none. */
  get defaultOptions(): SecureContextOptions {
    return this.#defaultOptions;
  }

  /** The certificate for a name: exact, then the wildcard one label above, then the listener's own. */
  contextFor(serverName: string): SecureContext {
    const name = serverName.toLowerCase();
    const exact = this.#exact.get(name);
    if (exact !== undefined) return exact;
    const dot = name.indexOf('.');
    return (dot < 0 ? undefined : this.#wildcards.get(name.slice(dot))) ?? this.#default;
  }

  /** Reads all files anew; when that fails, everything stays as it is. Fails with `tls_config`. */
  reload(): void {
    const before = this.#chains;
    try {
      this.#default = this.#load();
    } catch (caught) {
      const failure = errorMessage(caught);
      if (failure !== this.#lastFailure) this.#listener?.onReloadFailed(failure);
      this.#lastFailure = failure;
      throw caught;
    }
    this.#lastFailure = '';
    this.#listener?.onReloaded(!sameCertificates(before, this.#chains));
  }

  /** Tells from now on, and follows a folder of certificates as configured. The returned function ends the latter. */
  follow(listener: CertificateListener): () => void {
    const { sniCerts } = this.#config;
    this.#listener = listener;
    for (const overlap of this.#overlaps) listener.onProblem(overlap);
    if (sniCerts === undefined || sniCerts.reloadMode === 'off') return () => {};
    const reload = (): void => {
      try {
        this.reload();
      } catch {
        // The listener has heard of it.
      }
    };
    if (sniCerts.reloadMode === 'interval') {
      const timer = setInterval(reload, sniCerts.reloadIntervalMs).unref();
      return () => clearInterval(timer);
    }
    let timer: NodeJS.Timeout | undefined;
    const watcher = watch(sniCerts.certFolder, { persistent: false }, () => {
      clearTimeout(timer);
      timer = setTimeout(reload, settleMs).unref();
    });
    watcher.on('error', (error) => listener.onProblem(`cannot watch ${sniCerts.certFolder}: ${errorMessage(error)}`));
    return () => {
      clearTimeout(timer);
      watcher.close();
    };
  }

  #load(): SecureContext {
    const { certFile, keyFile, sni } = this.#config;
    const options = this.#options(certFile, keyFile);
    const own = this.#context(certFile, options);
    const all: NamedContext[] = [
      ...sni.map((entry) => this.#named(entry.certFile, entry.keyFile, entry.hostnames, entry.priorityHostnames)),
      ...this.#folderEntries(),
    ];
    const exact = new Map<string, SecureContext>();
    const wildcards = new Map<string, SecureContext>();
    const file = (name: string, context: SecureContext, wins: boolean): void => {
      const lower = name.toLowerCase();
      const [names, key] = lower.startsWith('*.') ? [wildcards, lower.slice(1)] : [exact, lower];
      if (wins || !names.has(key)) names.set(key, context);
    };
    for (const { context, names } of all) for (const name of names) file(name, context, false);
    this.#findOverlaps(all);
    for (const { context, priorityNames } of all) for (const name of priorityNames) file(name, context, true);
    this.#chains = [certFile, ...new Set(all.map((entry) => entry.certFile))].map((path) => this.#chain(path));
    this.#exact = exact;
    this.#wildcards = wildcards;
    this.#defaultOptions = options;
    return own;
  }

  /** Says what was not said before. */
  #findOverlaps(all: readonly NamedContext[]): void {
    const before = this.#overlaps;
    this.#overlaps = this.#config.allowSniOverlaps ? [] : overlapsOf(all);
    for (const overlap of this.#overlaps) if (!before.includes(overlap)) this.#listener?.onProblem(overlap);
  }

  #folderEntries(): NamedContext[] {
    const { sniCerts } = this.#config;
    if (sniCerts === undefined) return [];
    const { certFolder } = sniCerts;
    return this.#attempt(certFolder, () => readdirSync(certFolder))
      .toSorted()
      .filter((name) => /\.(?:crt|pem|cert)$/.test(name) && existsSync(join(certFolder, `${parse(name).name}.key`)))
      .map((name) => this.#named(join(certFolder, name), join(certFolder, `${parse(name).name}.key`), [], []));
  }

  #named(certFile: string, keyFile: string, names: readonly string[], priorityNames: readonly string[]): NamedContext {
    const context = this.#context(certFile, this.#options(certFile, keyFile));
    return { certFile, context, names: names.length > 0 ? names : this.#namesOf(certFile), priorityNames };
  }

  #namesOf(certFile: string): readonly string[] {
    const { subjectAltName = '' } = this.#chain(certFile).certificate;
    return subjectAltName.split(', ').flatMap((entry) => (entry.startsWith('DNS:') ? [entry.slice(4)] : []));
  }

  #chain(certFile: string): CertificateChain {
    return this.#attempt(certFile, () => {
      const text = readFileSync(certFile, 'latin1');
      const [first, ...rest] = text.match(/-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/g) ?? [];
      const others = rest.map((pem) => new X509Certificate(pem));
      return { certFile, certificate: new X509Certificate(first ?? text), others };
    });
  }

  #context(certFile: string, options: SecureContextOptions): SecureContext {
    return this.#attempt(certFile, () => createSecureContext(options));
  }

  #options(certFile: string, keyFile: string): SecureContextOptions {
    const { caFile, minVersion, maxVersion, cipherSuites, sessionResumption } = this.#config;
    const ca = caFile === undefined ? undefined : this.#attempt(caFile, () => readFileSync(caFile));
    return {
      cert: this.#attempt(certFile, () => readFileSync(certFile)),
      key: this.#attempt(keyFile, () => readFileSync(keyFile)),
      minVersion,
      ...(maxVersion === undefined ? {} : { maxVersion }),
      ...(ca === undefined ? {} : { ca }),
      ...(cipherSuites.length === 0 ? {} : { ciphers: cipherSuites.join(':') }),
      ...(sessionResumption ? this.#sessionOptions(certFile, ca) : { secureOptions: constants.SSL_OP_NO_TICKET }),
    };
  }

  /**
   * What sessions belong to and tickets are sealed with. Others for each listener, certificate and set of authorities: who was let in by one
   * of them must not come in by another. The same in every thread, where Node's own would differ.
   */
  #sessionOptions(certFile: string, ca: Buffer | undefined): SecureContextOptions {
    const authorities = ca === undefined ? '' : createHash('sha256').update(ca).digest('hex');
    const purpose = JSON.stringify([this.#listenerId, certFile, authorities]);
    const bytes = Buffer.from(hkdfSync('sha256', this.#ticketSecret, '', purpose, TICKET_KEY_BYTES + CONTEXT_BYTES));
    return {
      ticketKeys: bytes.subarray(0, TICKET_KEY_BYTES),
      sessionIdContext: bytes.subarray(TICKET_KEY_BYTES).toString('hex'),
    };
  }

  #attempt<T>(file: string, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      const message = `listener ${this.#listenerId} cannot use ${file} for TLS: ${errorMessage(cause)}`;
      throw new GatewayError('tls_config', message, { cause });
    }
  }
}

/** Names that the configuration gives to one certificate are decided; of others the first certificate is shown. */
function overlapsOf(all: readonly NamedContext[]): readonly string[] {
  const decided = new Set(all.flatMap(({ priorityNames }) => priorityNames.map((name) => name.toLowerCase())));
  const claims = new Map<string, string>();
  const overlaps: string[] = [];
  for (const { certFile, names } of all) {
    for (const name of new Set(names.map((name) => name.toLowerCase()))) {
      const first = claims.get(name);
      if (first === undefined) claims.set(name, certFile);
      else if (first !== certFile && !decided.has(name)) {
        overlaps.push(
          `${certFile} claims ${name} as well as ${first}, which is shown; allow-sni-overlaps accepts that`,
        );
      }
    }
  }
  return overlaps;
}

function sameCertificates(before: readonly CertificateChain[], after: readonly CertificateChain[]): boolean {
  return (
    before.length === after.length &&
    before.every(({ certificate }, index) => certificate.raw.equals(after[index]!.certificate.raw))
  );
}
