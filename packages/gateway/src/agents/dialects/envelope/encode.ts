import type { AgentMessage, RequestSummary } from '../../message.ts';
import type { CallContext } from '../connection.ts';
import {
  base64,
  bodyChunkObject,
  guardrailObject,
  headerObject,
  opcodeNumber,
  requestHeadersObject,
  summaryObject,
} from '../json-events.ts';
import type { MessageOf } from '../json-events.ts';

/** What an envelope can carry. */
export type EventType =
  | 'configure'
  | 'request_headers'
  | 'request_body_chunk'
  | 'response_headers'
  | 'response_body_chunk'
  | 'request_complete'
  | 'websocket_frame'
  | 'guardrail_inspect';

/** The JSON of an envelope. Agents ignore the version's number. */
export function envelope(eventType: EventType, payload: object): string {
  return JSON.stringify({ version: 2, event_type: eventType, payload });
}

/** An event in the dialect `envelope`. */
export function encodeEvent(message: AgentMessage, context: CallContext): string {
  const { correlationId } = context.metadata;
  switch (message.kind) {
    case 'request_headers':
      return envelope('request_headers', requestHeadersObject(message, context));
    case 'request_body': {
      const payload = { ...bodyChunkObject(message.chunk, correlationId), bytes_received: message.chunk.bytesSoFar };
      return envelope('request_body_chunk', payload);
    }
    case 'response_headers': {
      const headers = headerObject(message.headers);
      return envelope('response_headers', { correlation_id: correlationId, status: message.status, headers });
    }
    case 'response_body': {
      // Agents of different age look for the count under different names.
      const count = { bytes_sent: message.chunk.bytesSoFar, bytes_received: message.chunk.bytesSoFar };
      return envelope('response_body_chunk', { ...bodyChunkObject(message.chunk, correlationId), ...count });
    }
    case 'websocket_frame':
      return envelope('websocket_frame', websocketObject(message, correlationId));
    case 'guardrail':
      return envelope('guardrail_inspect', guardrailObject(message, context));
  }
}

/** The event `request_complete`, with the sizes under both of their names. */
export function encodeComplete(context: CallContext, summary: RequestSummary): string {
  return envelope('request_complete', {
    ...summaryObject(summary, context),
    request_size: summary.requestBodyBytes,
    response_size: summary.responseBodyBytes,
  });
}

function websocketObject(message: MessageOf<'websocket_frame'>, correlationId: string): object {
  return {
    correlation_id: correlationId,
    opcode: opcodeNumber(message),
    direction: message.clientToServer ? 'client_to_server' : 'server_to_client',
    data: base64(message.data),
    frame_index: message.frameIndex,
  };
}
