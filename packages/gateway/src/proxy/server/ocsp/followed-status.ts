import type { X509Certificate } from 'node:crypto';
import { errorMessage, fail } from '@clew/base';
import type { Logger, Result } from '@clew/base';
import type { HttpClient } from '@clew/net';
import { certificateId, ocspRequest } from './certificate-id.ts';
import { readOcspResponse } from './ocsp-response.ts';
import type { GoodStatus, NotGood } from './ocsp-response.ts';

/** A certificate that names a responder. */
export interface StatusSubject {
  readonly certFile: string;
  readonly certificate: X509Certificate;
  readonly issuer: X509Certificate;
  readonly responderUrl: string;
}

/** What following is done with. */
export interface FollowOptions {
  readonly client: HttpClient;
  readonly logger: Logger;
  /** After a failure; twice as long after each further one. */
  readonly firstRetryMs: number;
  /** The time of day. */
  readonly nowUnixMs: () => number;
}

/** Responses have a few hundred bytes, with the signer's certificate some thousands. */
const maxResponseBytes = 65_536;
const requestTimeoutMs = 10_000;
const minRefreshMs = 1000;
const maxRefreshMs = 12 * 3_600_000;
const maxRetryMs = 3_600_000;

/** Keeps a responder's word about one certificate up to date, in the background. */
export class FollowedStatus {
  readonly #subject: StatusSubject;
  readonly #options: FollowOptions;
  readonly #stopping = new AbortController();
  #response: Buffer | undefined;
  #goodUntilUnixMs = 0;
  #failures = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(subject: StatusSubject, options: FollowOptions) {
    this.#subject = subject;
    this.#options = options;
  }

  /** The response to show to clients; undefined while there is none that holds. */
  get response(): Buffer | undefined {
    return this.#options.nowUnixMs() < this.#goodUntilUnixMs ? this.#response : undefined;
  }

  /** Asks now, and again whenever it is time. */
  start(): void {
    void this.#refresh();
  }

  stop(): void {
    this.#stopping.abort();
    clearTimeout(this.#timer);
  }

  async #refresh(): Promise<void> {
    const outcome = await this.#ask();
    if (this.#stopping.signal.aborted) return;
    const waitMs = outcome.ok ? this.#succeeded(outcome.value) : this.#failed(outcome.error);
    this.#timer = setTimeout(() => void this.#refresh(), waitMs).unref();
  }

  /** Never rejects: whatever goes wrong is a reason. */
  async #ask(): Promise<Result<GoodStatus & { readonly response: Buffer }, NotGood>> {
    const { certificate, issuer, responderUrl } = this.#subject;
    const id = certificateId(certificate, issuer);
    if (id === undefined) return fail({ reason: 'the certificate cannot be read', final: false });
    try {
      const { status, body, truncated } = await this.#options.client.request({
        method: 'POST',
        url: responderUrl,
        headers: { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' },
        body: ocspRequest(id),
        timeoutMs: requestTimeoutMs,
        maxResponseBytes,
        signal: this.#stopping.signal,
      });
      if (status !== 200) return fail({ reason: `the responder answered with status ${status}`, final: false });
      if (truncated) return fail({ reason: `the answer has more than ${maxResponseBytes} bytes`, final: false });
      const response = Buffer.from(body);
      const read = readOcspResponse(response, { id, issuer, nowUnixMs: this.#options.nowUnixMs() });
      return read.ok ? { ok: true, value: { ...read.value, response } } : read;
    } catch (caught) {
      return fail({ reason: errorMessage(caught), final: false });
    }
  }

  /** Returns when to ask again. */
  #succeeded({ response, thisUpdateUnixMs, nextUpdateUnixMs }: GoodStatus & { readonly response: Buffer }): number {
    this.#response = response;
    this.#goodUntilUnixMs = nextUpdateUnixMs;
    if (this.#failures > 0) this.#options.logger.info('The status of a certificate is shown again.', this.#fields);
    this.#failures = 0;
    const halfUnixMs = (thisUpdateUnixMs + nextUpdateUnixMs) / 2;
    const soonest = Math.min(minRefreshMs, Math.max(nextUpdateUnixMs - this.#options.nowUnixMs(), 0));
    return Math.min(Math.max(halfUnixMs - this.#options.nowUnixMs(), soonest), maxRefreshMs);
  }

  /** Returns when to ask again. What was good stays so until its time has come, unless the responder has taken it back. */
  #failed({ reason, final }: NotGood): number {
    const { logger, firstRetryMs } = this.#options;
    if (final) this.#response = undefined;
    const fields = { ...this.#fields, reason };
    if (this.#failures === 0) {
      logger.warn(
        'The status of a certificate cannot be had; once what is known of it is too old, none is shown.',
        fields,
      );
    } else logger.debug('The status of a certificate still cannot be had.', fields);
    return Math.min(firstRetryMs * 2 ** this.#failures++, maxRetryMs);
  }

  get #fields() {
    return { certificate: this.#subject.certFile, responder: this.#subject.responderUrl };
  }
}
