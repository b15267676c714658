import type { AgentMessage } from '../../message.ts';
import type { CallContext } from '../connection.ts';
import { base64, headerObject, metadataObject } from '../json-events.ts';

/** Types of frames. */
export const FrameType = Object.freeze({
  requestHeaders: 0x10,
  requestBody: 0x11,
  responseHeaders: 0x12,
  responseBody: 0x13,
  decision: 0x20,
  cancel: 0x30,
  cancelAll: 0x31,
  healthRequest: 0xe0,
  healthResponse: 0xe1,
  metricsResponse: 0xe3,
  ping: 0xf0,
  pong: 0xf1,
});

/** A frame's type and JSON. */
export interface EncodedEvent {
  readonly type: number;
  readonly payload: string;
}

/** An event in the dialect `numbered`; undefined for what it has no message for. */
export function encodeEvent(message: AgentMessage, context: CallContext): EncodedEvent | undefined {
  const requestId = context.requestNumber;
  const make = (type: number, object: object): EncodedEvent => ({
    type,
    payload: JSON.stringify({ request_id: requestId, ...object }),
  });
  switch (message.kind) {
    case 'request_headers': {
      const { method, uri, hasBody } = message;
      const headers = headerObject(message.headers);
      return make(FrameType.requestHeaders, { method, uri, headers, has_body: hasBody, metadata: metadataOf(context) });
    }
    case 'response_headers': {
      const headers = headerObject(message.headers);
      return make(FrameType.responseHeaders, { status_code: message.status, headers, has_body: message.hasBody });
    }
    case 'request_body':
    case 'response_body': {
      const { index, data, isLast } = message.chunk;
      const type = message.kind === 'request_body' ? FrameType.requestBody : FrameType.responseBody;
      return make(type, { chunk_index: index, data: base64(data), is_last: isLast });
    }
    case 'websocket_frame':
    case 'guardrail':
      return undefined;
  }
}

/** The metadata without what this dialect does not have. */
function metadataOf({ metadata, traceparent }: CallContext): object {
  const { request_id: _id, tls_cipher: _cipher, timestamp: _time, ...rest } = metadataObject(metadata, traceparent);
  return rest;
}
