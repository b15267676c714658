import { HttpClient } from '../client/http-client.ts';
import type { HttpClientResponse } from '../client/http-client.ts';
import { compress } from '../codec/compress.ts';
import type { ContentEncoding } from '../codec/encoding.ts';
import { NetError } from '../errors.ts';
import { maxErrorBodyBytes } from '../limits.ts';
import { decodeRpcStatus, rpcStatusFromJson } from '../status/rpc-status.ts';
import type { RpcStatus } from '../status/rpc-status.ts';
import { partialSuccessFromJson, partialSuccessFromProtobuf } from './partial-success.ts';
import type { OtlpClientOptions, OtlpSignal, PartialSuccess } from './types.ts';
import type { OtlpSender, SendAttempt } from './sender.ts';

const paths: Readonly<Record<OtlpSignal, string>> = {
  traces: '/v1/traces',
  metrics: '/v1/metrics',
  logs: '/v1/logs',
};

const contentTypes = { 'http/protobuf': 'application/x-protobuf', 'http/json': 'application/json' } as const;

/** Sends OTLP requests over HTTP. */
export class HttpSender implements OtlpSender {
  readonly #options: OtlpClientOptions;
  readonly #client: HttpClient;
  readonly #contentType: string;
  readonly #compression: ContentEncoding;

  constructor(options: OtlpClientOptions) {
    this.#options = options;
    this.#client = new HttpClient({ ...options.http, ...(options.tls ? { tls: options.tls } : {}) });
    this.#contentType = contentTypes[options.protocol === 'http/json' ? 'http/json' : 'http/protobuf'];
    this.#compression = options.compression ?? 'gzip';
    for (const signal of ['traces', 'metrics', 'logs'] as const) {
      if (options.endpoint !== '' || options.signalEndpoints?.[signal]) checkUrl(this.#url(signal));
    }
    if (options.endpoint === '' && Object.keys(options.signalEndpoints ?? {}).length === 0) {
      throw new NetError('invalid_setting', 'at least one endpoint must be specified');
    }
  }

  encode(body: Uint8Array): Promise<Uint8Array> {
    return compress(body, this.#compression, this.#options.compressionLevel);
  }

  async send(attempt: SendAttempt): Promise<PartialSuccess | undefined> {
    const url = this.#url(attempt.kind);
    const response = await this.#client.request({
      method: 'POST',
      url,
      headers: {
        ...(this.#options.userAgent ? { 'user-agent': this.#options.userAgent } : {}),
        ...this.#options.headers,
        ...attempt.headers,
        'content-type': this.#contentType,
        ...(this.#compression === 'identity' ? {} : { 'content-encoding': this.#compression }),
      },
      body: attempt.body,
      timeoutMs: this.#options.timeoutMs ?? 30_000,
      maxResponseBytes: maxErrorBodyBytes,
      signal: attempt.signal,
    });
    if (response.status >= 200 && response.status < 300) return readPartialSuccess(response);
    throw httpFailure(url, response);
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  #url(signal: OtlpSignal): string {
    return this.#options.signalEndpoints?.[signal] ?? this.#options.endpoint.replace(/\/$/, '') + paths[signal];
  }
}

function checkUrl(url: string): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return;
  throw new NetError('invalid_setting', `endpoint ${JSON.stringify(url)} is no http:// or https:// URL`);
}

/** The data is accepted whatever the body says; one that cannot be read only means that nothing more is known. */
function readPartialSuccess(response: HttpClientResponse): PartialSuccess | undefined {
  if (response.truncated || response.body.length === 0) return undefined;
  try {
    return isJson(response)
      ? partialSuccessFromJson(Buffer.from(response.body).toString('utf8'))
      : partialSuccessFromProtobuf(response.body);
  } catch {
    return undefined;
  }
}

function isJson(response: HttpClientResponse): boolean {
  return String(response.headers['content-type'] ?? '').startsWith('application/json');
}

function httpFailure(url: string, response: HttpClientResponse): NetError {
  const status = statusOf(response);
  const said = status
    ? `, Message=${status.message}, Details=[${status.details.map((detail) => detail.typeUrl).join(' ')}]`
    : '';
  const message = `error exporting items, request to ${url} responded with HTTP Status Code ${response.status}${said}`;
  const retryAfterMs = parseRetryAfterMs(response.headers['retry-after'], Date.now());
  const details = { httpStatus: response.status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  return new NetError('http_failed', message, { details, ...(status ? { status } : {}) });
}

function statusOf(response: HttpClientResponse): RpcStatus | undefined {
  if (response.body.length === 0) return undefined;
  const type = String(response.headers['content-type'] ?? '');
  if (isJson(response)) return rpcStatusFromJson(Buffer.from(response.body).toString('utf8'));
  if (!type.startsWith('application/x-protobuf')) return undefined;
  try {
    return decodeRpcStatus(response.body);
  } catch {
    return undefined; // Only the words of the error would be better with it.
  }
}

/** `Retry-After` as seconds or an HTTP date (RFC 9110 section 10.2.3), in milliseconds from now. */
export function parseRetryAfterMs(header: string | string[] | undefined, nowUnixMs: number): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim();
  if (!text) return undefined;
  if (/^\d{1,10}$/.test(text)) return Number(text) * 1000;
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowUnixMs);
}
