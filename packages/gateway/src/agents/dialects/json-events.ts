// What the JSON dialects say about a request, as far as they agree.
import type { AgentMessage, BodyChunk, FlatHeaders, RequestMetadata, RequestSummary } from '../message.ts';
import { websocketOpcodes } from '../message.ts';
import type { CallContext } from './connection.ts';

/** A message of one kind. */
export type MessageOf<Kind extends AgentMessage['kind']> = Extract<AgentMessage, { readonly kind: Kind }>;

/** Header fields by lower-case name; a repeated field keeps its values in order. */
export function headerObject(headers: FlatHeaders): Record<string, string[]> {
  // Without a prototype, so that a field called `__proto__` is one like any other.
  const object = Object.create(null) as Record<string, string[]>;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at]!.toLowerCase();
    const known = object[name];
    if (known === undefined) object[name] = [headers[at + 1]!];
    else known.push(headers[at + 1]!);
  }
  return object;
}

/** The metadata of a request. */
export function metadataObject(metadata: RequestMetadata, traceparent: string | undefined): Record<string, unknown> {
  return {
    correlation_id: metadata.correlationId,
    request_id: metadata.requestId,
    client_ip: metadata.clientIp,
    client_port: metadata.clientPort,
    server_name: metadata.serverName ?? null,
    protocol: metadata.protocol,
    tls_version: metadata.tlsVersion ?? null,
    tls_cipher: metadata.tlsCipher ?? null,
    route_id: metadata.routeId ?? null,
    upstream_id: metadata.upstreamId ?? null,
    timestamp: new Date(metadata.startUnixMs).toISOString(),
    // Undefined is left out by JSON.stringify.
    traceparent,
  };
}

/** Bytes as JSON has them. */
export function base64(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64');
}

/** The event `request_headers`. */
export function requestHeadersObject(message: MessageOf<'request_headers'>, context: CallContext): object {
  return {
    metadata: metadataObject(context.metadata, context.traceparent),
    method: message.method,
    uri: message.uri,
    headers: headerObject(message.headers),
  };
}

/** What both directions of a body have in common. */
export function bodyChunkObject(chunk: BodyChunk, correlationId: string): object {
  return {
    correlation_id: correlationId,
    data: base64(chunk.data),
    is_last: chunk.isLast,
    total_size: chunk.totalBytes,
    chunk_index: chunk.index,
  };
}

/** The event `guardrail_inspect`. */
export function guardrailObject(message: MessageOf<'guardrail'>, { metadata }: CallContext): object {
  return {
    correlation_id: metadata.correlationId,
    inspection_type: message.inspection,
    content: message.content,
    model: message.model,
    categories: message.categories,
    route_id: metadata.routeId,
    metadata: {},
  };
}

/** The event `request_complete`, as agents with a handshake expect it. */
export function summaryObject(summary: RequestSummary, { metadata }: CallContext): Record<string, unknown> {
  return {
    correlation_id: metadata.correlationId,
    status: summary.status,
    duration_ms: Math.round(summary.durationMs),
    request_body_size: summary.requestBodyBytes,
    response_body_size: summary.responseBodyBytes,
    upstream_attempts: summary.upstreamAttempts,
    error: summary.error ?? null,
  };
}

/** The number of a WebSocket frame's type. */
export function opcodeNumber(message: MessageOf<'websocket_frame'>): number {
  return websocketOpcodes[message.opcode];
}
