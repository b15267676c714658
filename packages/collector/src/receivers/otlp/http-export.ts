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
import type { HttpHandler, HttpReply, RequestHead, RpcStatus } from '@clew/net';
import { decodeTraces, decodeTracesJson } from '@clew/wire/otlp';
import type { DecodeLimits } from '@clew/wire/otlp';
import { bodyFailureStatus, mediaTypeOf, readOptions } from '../common/http-ingest.ts';
import type { HttpBodyOptions, HttpDialect } from '../common/http-ingest.ts';
import { statusOf, statusOfRefusal } from '../common/refusals.ts';
import type { TransportEvents } from '../common/transport-events.ts';
import type { OnUnconsumed } from './telemetry.ts';
import { unconsumedResponse } from './unconsumed.ts';
import type { OtlpFormat, UnconsumedSignal } from './unconsumed.ts';

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

/** OTLP over HTTP: protobuf or JSON, answered in the request's encoding. */
export function otlpDialect(limits: DecodeLimits): HttpDialect {
  return {
    refuseHead,
    decoderOf(head) {
      if (formatOf(head) === 'json') return (body, batch) => decodeTracesJson(body, batch, limits);
      return (body, batch) => decodeTraces(body, batch, limits);
    },
    accepted: (head) => success(head, acceptedBodies[requestFormat(head)]),
    failed: (caught, head) => failureReply(caught, requestFormat(head)),
    notAdmitted: (refusal, head) => statusReply(statusOfRefusal(refusal), requestFormat(head)),
  };
}

/** Answers `POST /v1/logs` and `/v1/metrics` when no pipeline takes them: success, with a reason why nothing was kept. */
export function unconsumedExportHandler(
  signal: UnconsumedSignal,
  events: TransportEvents,
  options: HttpBodyOptions,
  onUnconsumed: OnUnconsumed,
): HttpHandler {
  return async (request) => {
    const refused = refuseHead(request);
    if (refused) return refused;
    const format = requestFormat(request);
    try {
      const body = await readDecodedBody(request, readOptions(options, events));
      return success(request, unconsumedResponse(signal, body, format, onUnconsumed));
    } catch (caught) {
      return failureReply(caught, format);
    }
  };
}

/** Refuses on the headers alone what OTLP over HTTP does not know: other methods and media types. */
export function refuseHead(head: RequestHead): HttpReply | undefined {
  if (head.method !== 'POST') {
    return plainText(405, '405 method not allowed, supported: [POST]');
  }
  if (formatOf(head) === undefined) {
    return plainText(415, '415 unsupported media type, supported: [application/json, application/x-protobuf]');
  }
  return undefined;
}

function success(head: RequestHead, body: Uint8Array): HttpReply {
  return { status: 200, headers: { 'content-type': contentTypes[requestFormat(head)] }, body };
}

/** The encoding a media type names, its parameters ignored. */
function formatOf(head: RequestHead): OtlpFormat | undefined {
  const type = mediaTypeOf(head);
  return type === undefined ? undefined : formats[type];
}

function requestFormat(head: RequestHead): OtlpFormat {
  return formatOf(head) ?? 'protobuf';
}

function failureReply(caught: unknown, format: OtlpFormat): HttpReply {
  if (caught instanceof NetError) {
    if (caught.code === 'unsupported_encoding') return plainText(400, caught.message);
    const status = bodyFailureStatus(caught);
    if (status === 413) return statusReply(rpcStatus(GrpcCode.invalidArgument, caught.message), format, status);
    if (status === 408) return statusReply(statusOf(caught), format, status);
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

function plainText(status: number, text: string): HttpReply {
  return { status, headers: { 'content-type': 'text/plain' }, body: text };
}
