import { withRetries, retrySettingsProblems } from '../client/retry.ts';
import type { RetryVerdict } from '../client/retry.ts';
import { NetError } from '../errors.ts';
import { isRetryableStatus } from '../status/http-mapping.ts';
import { retryDelayMsOf } from '../status/rpc-status.ts';
import { GrpcSender } from './grpc-sender.ts';
import { HttpSender } from './http-sender.ts';
import type { OtlpSender } from './sender.ts';
import type { OtlpClient, OtlpClientOptions, OtlpSendOptions, OtlpSendResult, OtlpSignal } from './types.ts';

/** Builds an OTLP client; connecting begins with the first send. Fails with `invalid_setting` or `tls_config`. */
export function createOtlpClient(options: OtlpClientOptions): OtlpClient {
  const problems = retrySettingsProblems(options.retry ?? {});
  if (problems.length > 0) throw new NetError('invalid_setting', `retry_on_failure: ${problems.join('; ')}`);
  const userAgent = options.userAgent ?? `clew (${process.platform}/${process.arch})`;
  const named = { ...options, userAgent };
  return new RetryingClient(options.protocol === 'grpc' ? new GrpcSender(named) : new HttpSender(named), named);
}

class RetryingClient implements OtlpClient {
  readonly #sender: OtlpSender;
  readonly #options: OtlpClientOptions;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(sender: OtlpSender, options: OtlpClientOptions) {
    this.#sender = sender;
    this.#options = options;
  }

  async send(kind: OtlpSignal, body: Uint8Array, options: OtlpSendOptions = {}): Promise<OtlpSendResult> {
    if (this.#closing.signal.aborted) {
      throw new NetError('interrupted', 'interrupted due to shutdown: the client is closed');
    }
    const sending = this.#send(kind, body, options);
    this.#running.add(sending);
    try {
      return await sending;
    } finally {
      this.#running.delete(sending);
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    await Promise.allSettled(this.#running);
    await this.#sender.close();
  }

  async #send(kind: OtlpSignal, body: Uint8Array, options: OtlpSendOptions): Promise<OtlpSendResult> {
    const encoded = await this.#sender.encode(body);
    const caller = options.signal ?? new AbortController().signal;
    let attempts = 0;
    const partialSuccess = await withRetries(
      (number) => {
        attempts = number;
        // A running attempt is not cut off by closing: its data may already be accepted.
        return this.#sender.send({ kind, body: encoded, headers: options.headers ?? {}, signal: caller });
      },
      {
        settings: this.#options.retry ?? {},
        judge: judgeFailure,
        signal: AbortSignal.any([this.#closing.signal, caller]),
        ...(this.#options.onRetry ? { onRetry: this.#options.onRetry } : {}),
      },
    );
    return partialSuccess ? { attempts, partialSuccess } : { attempts };
  }
}

const retryableHttpStatuses: readonly unknown[] = [429, 502, 503, 504];
const retryAfterStatuses: readonly unknown[] = [429, 503];

/** What the OTLP specification says about a failed attempt. */
export function judgeFailure(caught: unknown): RetryVerdict {
  if (!(caught instanceof NetError)) return { retry: false };
  if (caught.code === 'http_failed') {
    const { httpStatus, retryAfterMs } = caught.details;
    if (!retryableHttpStatuses.includes(httpStatus)) return { retry: false };
    const throttled = retryAfterStatuses.includes(httpStatus) && typeof retryAfterMs === 'number';
    return throttled ? { retry: true, throttleMs: retryAfterMs } : { retry: true };
  }
  if (caught.code === 'aborted' || caught.code === 'closed') return { retry: false };
  if (caught.status) {
    if (!isRetryableStatus(caught.status)) return { retry: false };
    const throttleMs = retryDelayMsOf(caught.status);
    return throttleMs === undefined ? { retry: true } : { retry: true, throttleMs };
  }
  return { retry: caught.code === 'connect_failed' || caught.code === 'timed_out' };
}
