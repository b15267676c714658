import { SpanBatch } from '@clew/model';
import { HttpClient, NetError, createOtlpClient, judgeFailure, withRetries } from '@clew/net';
import type { HttpClientResponse, OtlpClientOptions, RetryEvent, RetrySettings } from '@clew/net';
import { encodeThriftBatches } from '@clew/wire/jaeger';
import { decodeTraces, encodeTracesJson } from '@clew/wire/otlp';
import { encodeZipkinV2Json } from '@clew/wire/zipkin';
import type { ExportTarget } from './settings.ts';

/** What a backend did with a batch. */
export interface SendOutcome {
  /** Spans it refused of a batch that it took otherwise. */
  readonly rejected: number;
  readonly message?: string;
  /** Whether it took more than one attempt. */
  readonly repeated: boolean;
}

/** Something that takes encoded batches. */
export interface SpanBackend {
  /** An OTLP request in the form it is sent in, which may be the very same bytes. */
  encode(request: Uint8Array): Uint8Array;
  /** Sends, and repeats as the protocol asks for. `body` must not change meanwhile. Fails with `NetError` when it is given up. */
  send(body: Uint8Array, signal: AbortSignal): Promise<SendOutcome>;
  /** Ends repetitions, lets what is running finish. Idempotent. */
  close(): Promise<void>;
}

/** How a backend repeats and whom it tells. */
export interface BackendOptions {
  /** Repetitions end after this. */
  readonly exportTimeoutMs: number;
  readonly userAgent: string;
  /** Told of each failed attempt that will be repeated. */
  readonly onRetry: (event: RetryEvent) => void;
  /** Instead of one second, growing to five; for tests. */
  readonly retry?: RetrySettings;
}

/** Fails with `NetError`: `invalid_setting`, `tls_config`. */
export function openBackend(target: ExportTarget, options: BackendOptions): SpanBackend {
  const retry: RetrySettings = {
    initialIntervalMs: Math.min(1000, options.exportTimeoutMs),
    maxIntervalMs: Math.min(5000, options.exportTimeoutMs),
    maxElapsedTimeMs: options.exportTimeoutMs,
    ...options.retry,
  };
  return target.kind === 'otlp'
    ? new OtlpBackend({ ...target.client, retry, userAgent: options.userAgent, onRetry: options.onRetry })
    : new PostBackend(target, retry, options);
}

class OtlpBackend implements SpanBackend {
  readonly #client;
  readonly #json: boolean;

  constructor(options: OtlpClientOptions) {
    this.#client = createOtlpClient(options);
    this.#json = options.protocol === 'http/json';
  }

  encode(request: Uint8Array): Uint8Array {
    return this.#json ? encodeTracesJson(batchOf(request)) : request;
  }

  async send(body: Uint8Array, signal: AbortSignal): Promise<SendOutcome> {
    const { partialSuccess, attempts } = await this.#client.send('traces', body, { signal });
    const repeated = attempts > 1;
    if (partialSuccess === undefined) return { rejected: 0, repeated };
    return { rejected: Number(partialSuccess.rejected), message: partialSuccess.message, repeated };
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/** The spans of a request as columns, for formats other than OTLP's own. */
function batchOf(request: Uint8Array): SpanBatch {
  const batch = new SpanBatch();
  decodeTraces(request, batch);
  return batch;
}

type PostTarget = Exclude<ExportTarget, { readonly kind: 'otlp' }>;

/** Posts to where Jaeger or Zipkin take spans over HTTP. */
class PostBackend implements SpanBackend {
  readonly #target: PostTarget;
  readonly #retry: RetrySettings;
  readonly #options: BackendOptions;
  readonly #client = new HttpClient();
  readonly #closing = new AbortController();

  constructor(target: PostTarget, retry: RetrySettings, options: BackendOptions) {
    this.#target = target;
    this.#retry = retry;
    this.#options = options;
  }

  encode(request: Uint8Array): Uint8Array {
    const batch = batchOf(request);
    // All spans of the gateway are of one resource, and each resource is one batch of Jaeger's.
    return this.#target.kind === 'jaeger' ? encodeThriftBatches(batch)[0]! : encodeZipkinV2Json(batch);
  }

  async send(body: Uint8Array, signal: AbortSignal): Promise<SendOutcome> {
    let repeated = false;
    const attempt = (number: number): Promise<void> => {
      repeated = number > 1;
      return this.#post(body, signal);
    };
    await withRetries(attempt, {
      settings: this.#retry,
      judge: judgeFailure,
      signal: AbortSignal.any([this.#closing.signal, signal]),
      onRetry: this.#options.onRetry,
    });
    return { rejected: 0, repeated };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#client.close();
  }

  async #post(body: Uint8Array, signal: AbortSignal): Promise<void> {
    const { url, headers, kind, timeoutMs } = this.#target;
    const response = await this.#client.request({
      method: 'POST',
      url,
      headers: {
        'user-agent': this.#options.userAgent,
        ...headers,
        'content-type': kind === 'jaeger' ? 'application/x-thrift' : 'application/json',
      },
      body,
      timeoutMs,
      maxResponseBytes: 4096,
      signal,
    });
    if (response.status < 200 || response.status > 299) throw refused(url, response);
  }
}

function refused(url: string, { status, body, headers }: HttpClientResponse): NetError {
  const said = Buffer.from(body).toString('utf8').slice(0, 200).trim();
  const message = `${url} answered with HTTP status ${status}${said === '' ? '' : `: ${JSON.stringify(said)}`}`;
  const seconds = Number(headers['retry-after']);
  const wait = Number.isFinite(seconds) && seconds >= 0 ? { retryAfterMs: seconds * 1000 } : {};
  return new NetError('http_failed', message, { details: { httpStatus: status, ...wait } });
}
