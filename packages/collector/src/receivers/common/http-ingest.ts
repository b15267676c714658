import { NetError, httpStatusOfError, readDecodedBody } from '@clew/net';
import type { ContentEncoding, HttpHandler, HttpReply, RequestHead } from '@clew/net';
import type { Refusal } from '@clew/pipeline';
import { requestMetadata } from './metadata.ts';
import type { Decode, SpanIngest } from './span-ingest.ts';
import type { TransportEvents } from './transport-events.ts';

/** How bodies are read. */
export interface HttpBodyOptions {
  readonly maxBodyBytes: number;
  readonly encodings: readonly ContentEncoding[];
  readonly includeMetadata: boolean;
}

/** What differs between the protocols that post spans over HTTP. */
export interface HttpDialect {
  /** Refuses on the headers alone what would be refused anyway: method, media type. */
  refuseHead(head: RequestHead): HttpReply | undefined;
  /** How the body of this request is decoded. */
  decoderOf(head: RequestHead): Decode;
  /** The answer when the pipeline has acknowledged the spans. */
  accepted(head: RequestHead): HttpReply;
  /** The answer when something was thrown: `NetError` (the body), `WireError` (its content), `Refusal` (the pipeline). */
  failed(caught: unknown, head: RequestHead): HttpReply;
  /** The answer when the pipeline would refuse, given before the body is read. */
  notAdmitted(refusal: Refusal, head: RequestHead): HttpReply;
}

/** The part of an HTTP mount that a dialect decides. */
export interface HttpIngestMount {
  readonly handler: HttpHandler;
  readonly admit: (head: RequestHead) => HttpReply | undefined;
}

/** Answers requests that post spans. */
export function httpIngest(
  ingest: SpanIngest,
  events: TransportEvents,
  options: HttpBodyOptions,
  dialect: HttpDialect,
): HttpIngestMount {
  return {
    admit(head) {
      const refused = dialect.refuseHead(head);
      if (refused) return refused;
      const refusal = ingest.admit(announcedBytes(head));
      return refusal && dialect.notAdmitted(refusal, head);
    },
    async handler(request) {
      const refused = dialect.refuseHead(request);
      if (refused) return refused;
      try {
        const body = await readDecodedBody(request, readOptions(options, events));
        const metadata = options.includeMetadata ? requestMetadata(request.headers) : undefined;
        await ingest.take(body, dialect.decoderOf(request), {
          signal: request.signal,
          clientAddress: request.peer.address,
          ...(metadata ? { metadata } : {}),
        });
        return dialect.accepted(request);
      } catch (caught) {
        return dialect.failed(caught, request);
      }
    },
  };
}

/** How a receiver reads bodies: its limits, and whom to tell. */
export function readOptions(options: HttpBodyOptions, events: TransportEvents) {
  return {
    maxBytes: options.maxBodyBytes,
    limitSetting: 'max_request_body_size',
    encodings: options.encodings,
    onRejected: events.rejected.bind(events),
  };
}

/** The size a request announces, 0 when it does not. */
export function announcedBytes(head: RequestHead): number {
  return Number(head.header('content-length') ?? 0) || 0;
}

/** The media type of a request in lower case and without parameters; undefined when it names none. */
export function mediaTypeOf(head: RequestHead): string | undefined {
  return head.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
}

/** The HTTP status for a body that could not be read; undefined for everything else. */
export function bodyFailureStatus(caught: unknown): number | undefined {
  return caught instanceof NetError ? httpStatusOfError(caught) : undefined;
}
