import { createHash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import type { Logger } from '@clew/base';
import { HttpClient } from '@clew/net';
import { FollowedStatus } from './followed-status.ts';

/** A certificate as a file has it: itself, and those that vouch for it. */
export interface CertificateChain {
  readonly certFile: string;
  readonly certificate: X509Certificate;
  readonly others: readonly X509Certificate[];
}

/** What a stapler is made of. */
export interface OcspStaplerOptions {
  readonly logger: Logger;
  /** Default 30,000. */
  readonly firstRetryMs?: number;
  /** The time of day; replaced in tests. */
  readonly nowUnixMs?: () => number;
}

/**
 * Asks the responders that certificates name whether they have been revoked, so that clients need not (RFC 6066 section 8, RFC 6960). All
 * of it happens in the background: a handshake gets what is known, and waits for nothing.
 */
export class OcspStapler {
  readonly #logger: Logger;
  readonly #firstRetryMs: number;
  readonly #nowUnixMs: () => number;
  readonly #client = new HttpClient({ disableKeepAlives: true });
  #followed = new Map<string, FollowedStatus>();
  /** Warned of already. */
  readonly #withoutIssuer = new Set<string>();

  constructor({ logger, firstRetryMs = 30_000, nowUnixMs = () => Date.now() }: OcspStaplerOptions) {
    this.#logger = logger;
    this.#firstRetryMs = firstRetryMs;
    this.#nowUnixMs = nowUnixMs;
  }

  /** Follows these certificates and no others; what is known of those that stay is kept. */
  update(chains: readonly CertificateChain[]): void {
    const before = this.#followed;
    this.#followed = new Map();
    for (const chain of chains) {
      const key = keyOf(chain.certificate.raw);
      if (this.#followed.has(key)) continue;
      const followed = before.get(key) ?? this.#follow(key, chain);
      if (followed !== undefined) this.#followed.set(key, followed);
    }
    for (const [key, followed] of before) if (!this.#followed.has(key)) followed.stop();
  }

  /** The response to show along with a certificate; undefined when there is none. */
  stapleFor(certificateDer: Buffer): Buffer | undefined {
    return this.#followed.get(keyOf(certificateDer))?.response;
  }

  /** Ends all asking. */
  stop(): void {
    for (const followed of this.#followed.values()) followed.stop();
    this.#followed.clear();
    void this.#client.close();
  }

  /** Undefined for certificates that name no responder. */
  #follow(key: string, { certFile, certificate, others }: CertificateChain): FollowedStatus | undefined {
    const responderUrl = responderOf(certificate);
    if (responderUrl === undefined) return undefined;
    const issuer = others.find((other) => certificate.checkIssued(other));
    if (issuer === undefined) {
      if (this.#withoutIssuer.has(key)) return undefined;
      this.#withoutIssuer.add(key);
      const advice = 'add the certificate of its issuer to the file';
      this.#logger.warn('The status of a certificate cannot be asked for.', { certificate: certFile, advice });
      return undefined;
    }
    const options = {
      client: this.#client,
      logger: this.#logger,
      firstRetryMs: this.#firstRetryMs,
      nowUnixMs: this.#nowUnixMs,
    };
    const followed = new FollowedStatus({ certFile, certificate, issuer, responderUrl }, options);
    followed.start();
    return followed;
  }
}

function keyOf(certificateDer: Buffer): string {
  return createHash('sha256').update(certificateDer).digest('base64');
}

function responderOf(certificate: X509Certificate): string | undefined {
  const urls = certificate.toLegacyObject().infoAccess?.['OCSP - URI'] ?? [];
  return urls.find((url) => /^https?:\/\//i.test(url) && URL.canParse(url));
}
