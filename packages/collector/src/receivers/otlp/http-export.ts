import {
  GrpcCode,
  NetError,
  encodeRpcStatus,
  httpStatusOf,
  readDecodedBody,
  retryAfterSecondsOf,
  rpcStatus,
  rpcStatusToJson,
} from '@clew/net';
import type { ContentEncoding, HttpHandler, HttpReply, RequestHead, RpcStatus, ServerRequest } from '@clew/net';
import { requestMetadata } from './metadata.ts';
import { statusOf, statusOfRefusal } from './refusals.ts';
import type { OtlpEvents } from './telemetry.ts';
import type { OtlpFormat, TraceIngest } from './trace-ingest.ts';
import { unconsumedResponse } from './unconsumed.ts';
import type { UnconsumedSignal } from './unconsumed.ts';

/** What the HTTP side of the receiver is told. */
export interface HttpExportOptions {
  readonly maxBodyBytes: number;
  readonly encodings: readonly ContentEncoding[];
  readonly includeMetadata: boolean;
}

const formats: Readonly<Record<string, OtlpFormat>> = {
  'application/x-protobuf': 'protobuf',
  'application/json': 'json',
};

const contentTypes: Readonly<Record<OtlpFormat, string>> = {
  protobuf: 'application/x-protobuf',
  json: 'application/json',
};

/** `{"partialSuccess":{}}` and the empty message: everything was accepted. */
const acceptedBodies: Readonly<Record<OtlpFormat, Uint8Array>> = {
  protobuf: new Uint8Array(0),
  json: new TextEncoder().encode('{"partialSuccess":{}}'),
};

/** Answers `POST /v1/traces`. */
export function traceExportHandler(ingest: TraceIngest, events: OtlpEvents, options: HttpExportOptions): HttpHandler {
  return exportHandler(events, options, async (body, format, request) => {
    const metadata = options.includeMetadata ? requestMetadata(request.headers) : undefined;
    await ingest.take(body, format, {
      transport: 'http',
      signal: request.signal,
      clientAddress: request.peer.address,
      ...(metadata ? { metadata } : {}),
    });
    return acceptedBodies[format];
  });
}

/** Answers `POST /v1/logs` and `/v1/metrics` when no pipeline takes them: success, with a reason why nothing was kept. */
export function unconsumedExportHandler(
  signal: UnconsumedSignal,
  events: OtlpEvents,
  options: HttpExportOptions,
): HttpHandler {
  return exportHandler(events, options, (body, format) =>
    Promise.resolve(unconsumedResponse(signal, body, format, events)),
  );
}

/** Refuses on the headers alone what would be refused anyway: method, media type, and a pipeline that is full. */
export function admitExport(ingest: TraceIngest | undefined): (head: RequestHead) => HttpReply | undefined {
  return (head) => {
    const refused = refuseHead(head);
    if (refused || !ingest) return refused;
    const refusal = ingest.admit(Number(head.header('content-length') ?? 0) || 0);
    return refusal && statusReply(statusOfRefusal(refusal), formatOf(head) ?? 'protobuf');
  };
}

type Export = (body: Uint8Array, format: OtlpFormat, request: ServerRequest) => Promise<Uint8Array>;

function exportHandler(events: OtlpEvents, options: HttpExportOptions, run: Export): HttpHandler {
  return async (request) => {
    const refused = refuseHead(request);
    if (refused) return refused;
    const format = formatOf(request)!;
    try {
      const body = await readDecodedBody(request, {
        maxBytes: options.maxBodyBytes,
        limitSetting: 'max_request_body_size',
        encodings: options.encodings,
        onRejected: (reason, detail) => events.rejected('http', reason, detail),
      });
      return { status: 200, headers: { 'content-type': contentTypes[format] }, body: await run(body, format, request) };
    } catch (caught) {
      return failureReply(caught, format);
    }
  };
}

function refuseHead(head: RequestHead): HttpReply | undefined {
  if (head.method !== 'POST') {
    return textReply(405, '405 method not allowed, supported: [POST]');
  }
  if (formatOf(head) === undefined) {
    return textReply(415, '415 unsupported media type, supported: [application/json, application/x-protobuf]');
  }
  return undefined;
}

/** The encoding a media type names, its parameters ignored. */
function formatOf(head: RequestHead): OtlpFormat | undefined {
  const type = head.header('content-type')?.split(';', 1)[0]?.trim().toLowerCase();
  return type === undefined ? undefined : formats[type];
}

function failureReply(caught: unknown, format: OtlpFormat): HttpReply {
  if (caught instanceof NetError) {
    if (caught.code === 'unsupported_encoding') return textReply(400, caught.message);
    if (caught.code === 'body_too_large' || caught.code === 'inflated_too_large') {
      return statusReply(rpcStatus(GrpcCode.invalidArgument, caught.message), format, 413);
    }
    if (caught.code === 'slow_body') return statusReply(statusOf(caught), format, 408);
  }
  return statusReply(statusOf(caught), format);
}

/** A `google.rpc.Status` in the request's encoding, with `Retry-After` when the status says when. */
function statusReply(status: RpcStatus, format: OtlpFormat, httpStatus = httpStatusOf(status.code)): HttpReply {
  const retryAfter = httpStatus === 429 || httpStatus === 503 ? retryAfterSecondsOf(status) : undefined;
  return {
    status: httpStatus,
    headers: {
      'content-type': contentTypes[format],
      ...(retryAfter === undefined ? {} : { 'retry-after': String(Math.max(1, retryAfter)) }),
    },
    body: format === 'json' ? rpcStatusToJson(status) : encodeRpcStatus(status),
  };
}

function textReply(status: number, text: string): HttpReply {
  return { status, headers: { 'content-type': 'text/plain' }, body: text };
}
