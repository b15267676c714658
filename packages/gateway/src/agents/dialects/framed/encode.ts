import type { AgentMessage } from '../../message.ts';
import type { CallContext } from '../connection.ts';
import { base64, bodyChunkObject, guardrailObject, requestHeadersObject, headerObject } from '../json-events.ts';
import type { MessageOf } from '../json-events.ts';

/** Types of frames. */
export const FrameType = Object.freeze({
  requestHeaders: 0x10,
  requestBody: 0x11,
  responseHeaders: 0x12,
  responseBody: 0x13,
  requestComplete: 0x14,
  websocketFrame: 0x15,
  guardrail: 0x16,
  configure: 0x17,
  answer: 0x20,
  health: 0x30,
  metrics: 0x31,
  configUpdate: 0x32,
  flowControl: 0x33,
  cancel: 0x40,
  ping: 0x41,
  pong: 0x42,
});

/** A frame's type and JSON. */
export interface EncodedEvent {
  readonly type: number;
  readonly payload: string;
}

/** An event in the dialect `framed`. */
export function encodeEvent(message: AgentMessage, context: CallContext): EncodedEvent {
  const { correlationId } = context.metadata;
  const make = (type: number, object: object): EncodedEvent => ({ type, payload: JSON.stringify(object) });
  switch (message.kind) {
    case 'request_headers': {
      const object = { correlation_id: correlationId, ...requestHeadersObject(message, context) };
      return make(FrameType.requestHeaders, object);
    }
    case 'request_body': {
      const object = { ...bodyChunkObject(message.chunk, correlationId), bytes_received: message.chunk.bytesSoFar };
      return make(FrameType.requestBody, object);
    }
    case 'response_headers': {
      const { status } = message;
      return make(FrameType.responseHeaders, {
        correlation_id: correlationId,
        status,
        headers: headerObject(message.headers),
      });
    }
    case 'response_body': {
      const object = { ...bodyChunkObject(message.chunk, correlationId), bytes_sent: message.chunk.bytesSoFar };
      return make(FrameType.responseBody, object);
    }
    case 'websocket_frame':
      return make(FrameType.websocketFrame, websocketObject(message, context));
    case 'guardrail':
      return make(FrameType.guardrail, guardrailObject(message, context));
  }
}

function websocketObject(message: MessageOf<'websocket_frame'>, { metadata }: CallContext): object {
  return {
    correlation_id: metadata.correlationId,
    opcode: message.opcode,
    data: base64(message.data),
    client_to_server: message.clientToServer,
    frame_index: message.frameIndex,
    fin: message.isFinal,
    route_id: metadata.routeId ?? null,
    client_ip: metadata.clientIp,
  };
}
