import { cancelReasons } from '../../message.ts';
import type { AgentMessage, BodyChunk, CancelReason, FlatHeaders, RequestSummary } from '../../message.ts';
import type { CallContext, ConnectOptions } from '../connection.ts';
import type { MessageOf } from '../json-events.ts';
import { protoMessage } from './protobuf.ts';
import type { ProtoWriter } from './protobuf.ts';
import { GatewayError } from '../../../errors.ts';

/** The largest message agents accept. */
export const maxMessageBytes = 10 * 1024 * 1024;

/** The variants of `ProxyToAgent`, by field number. */
const Variant = Object.freeze({
  handshake: 1,
  requestHeaders: 2,
  requestBody: 3,
  responseHeaders: 4,
  responseBody: 5,
  websocketFrame: 6,
  guardrail: 7,
  requestComplete: 8,
  cancel: 9,
  configure: 10,
  ping: 11,
});

/** An event as a `ProxyToAgent`. Fails with `body_too_large` beyond what agents accept. */
export function encodeEvent(message: AgentMessage, context: CallContext): Uint8Array {
  const encoded = variantOf(message, context);
  if (encoded.length <= maxMessageBytes) return encoded;
  const text = `an event of ${encoded.length} bytes is larger than the ${maxMessageBytes} bytes a gRPC message may have`;
  throw new GatewayError('body_too_large', text);
}

function variantOf(message: AgentMessage, context: CallContext): Uint8Array {
  const { correlationId } = context.metadata;
  switch (message.kind) {
    case 'request_headers':
      return wrap(Variant.requestHeaders, (out) => writeRequestHeaders(out, message, context));
    case 'request_body':
      return wrap(Variant.requestBody, (out) => writeBodyChunk(out, message.chunk, correlationId));
    case 'response_headers':
      return wrap(Variant.responseHeaders, (out) => {
        out.text(1, correlationId);
        out.uint(2, message.status);
        writeHeaders(out, 3, message.headers);
      });
    case 'response_body':
      return wrap(Variant.responseBody, (out) => writeBodyChunk(out, message.chunk, correlationId));
    case 'websocket_frame':
      return wrap(Variant.websocketFrame, (out) => writeWebsocketFrame(out, message, correlationId));
    case 'guardrail':
      return wrap(Variant.guardrail, (out) => writeGuardrail(out, message, correlationId));
  }
}

/** The handshake, which is the first message of a stream. */
export function encodeHandshake({ proxyVersion, configJson }: ConnectOptions): Uint8Array {
  return wrap(Variant.handshake, (out) => {
    out.packed(1, [2, 1]);
    out.text(2, 'clew-gateway');
    out.text(3, proxyVersion);
    out.text(4, configJson ?? '{}');
  });
}

/** The agent's configuration. */
export function encodeConfigure(configJson: string): Uint8Array {
  return wrap(Variant.configure, (out) => {
    out.text(1, configJson);
    out.flag(3, true);
    out.uint64(4, nowMs());
  });
}

/** The end of a request. */
export function encodeComplete({ metadata }: CallContext, summary: RequestSummary): Uint8Array {
  return wrap(Variant.requestComplete, (out) => {
    out.text(1, metadata.correlationId);
    out.uint(2, summary.status);
    out.uint64(3, BigInt(Math.round(summary.durationMs)));
    out.uint64(4, BigInt(summary.requestBodyBytes));
    out.uint64(5, BigInt(summary.responseBodyBytes));
    out.optionalText(6, summary.upstreamId);
    out.optionalText(8, summary.error);
  });
}

/** Tells that nobody waits for an answer any more. */
export function encodeCancel(correlationId: string, reason: CancelReason): Uint8Array {
  return wrap(Variant.cancel, (out) => {
    out.text(1, correlationId);
    out.uint(2, cancelReasons[reason]);
    out.uint64(3, nowMs());
  });
}

/** Asks for a sign of life. */
export function encodePing(sequence: number): Uint8Array {
  return wrap(Variant.ping, (out) => {
    out.uint64(1, BigInt(sequence));
    out.uint64(2, nowMs());
  });
}

function wrap(field: number, write: (out: ProtoWriter) => void): Uint8Array {
  return protoMessage((out) => out.nested(field, write));
}

function nowMs(): bigint {
  return BigInt(Date.now());
}

function writeRequestHeaders(out: ProtoWriter, message: MessageOf<'request_headers'>, context: CallContext): void {
  out.nested(1, (inner) => writeMetadata(inner, context));
  out.text(2, message.method);
  out.text(3, message.uri);
  out.text(4, context.metadata.protocol);
  writeHeaders(out, 5, message.headers);
}

function writeMetadata(out: ProtoWriter, { metadata, traceparent }: CallContext): void {
  out.text(1, metadata.correlationId);
  out.text(2, metadata.requestId);
  out.text(3, metadata.clientIp);
  out.uint(4, metadata.clientPort);
  out.optionalText(5, metadata.serverName);
  out.text(6, metadata.protocol);
  out.optionalText(7, metadata.tlsVersion);
  out.optionalText(8, metadata.routeId);
  out.optionalText(9, metadata.upstreamId);
  out.uint64(10, BigInt(Math.round(metadata.startUnixMs)));
  out.optionalText(11, traceparent);
}

function writeHeaders(out: ProtoWriter, field: number, headers: FlatHeaders): void {
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!.toLowerCase();
    const value = headers[at + 1]!;
    out.nested(field, (inner) => {
      inner.text(1, name);
      inner.text(2, value);
    });
  }
}

function writeBodyChunk(out: ProtoWriter, chunk: BodyChunk, correlationId: string): void {
  out.text(1, correlationId);
  out.uint(2, chunk.index);
  out.bytes(3, chunk.data);
  out.flag(4, chunk.isLast);
  if (chunk.totalBytes !== undefined) out.optionalUint64(5, BigInt(chunk.totalBytes));
  out.uint64(6, BigInt(chunk.bytesSoFar));
  out.uint64(8, nowMs());
}

/** Types of frames; a continuation has none of its own and goes as binary. */
const frameTypes = Object.freeze({ text: 1, binary: 2, continuation: 2, ping: 3, pong: 4, close: 5 });

function writeWebsocketFrame(out: ProtoWriter, message: MessageOf<'websocket_frame'>, correlationId: string): void {
  out.text(1, correlationId);
  out.flag(2, message.clientToServer);
  out.uint(3, frameTypes[message.opcode]);
  out.bytes(4, message.data);
}

function writeGuardrail(out: ProtoWriter, message: MessageOf<'guardrail'>, correlationId: string): void {
  out.text(1, correlationId);
  out.text(2, message.content);
  // Prompts are searched for injections, responses for personal data.
  out.uint(3, message.inspection === 'prompt_injection' ? 1 : 2);
  out.optionalText(4, message.model);
  out.text(5, JSON.stringify({ inspection_type: message.inspection, categories: message.categories }));
}
