import type { AgentEvent } from '../config/model/agent.ts';

export type { AgentEvent } from '../config/model/agent.ts';

/** Header fields as Node's `rawHeaders` has them: name, value, name, value, … */
export type FlatHeaders = readonly string[];

/** What agents are told about a request as a whole. */
export interface RequestMetadata {
  /** Names the request among those in flight; no two at a time share one. */
  readonly correlationId: string;
  /** A UUID of this request. */
  readonly requestId: string;
  /** The address alone. */
  readonly clientIp: string;
  readonly clientPort: number;
  /** The TLS server name, else the Host. */
  readonly serverName?: string;
  /** `HTTP/1.1` or `HTTP/2`. */
  readonly protocol: string;
  readonly tlsVersion?: string;
  readonly tlsCipher?: string;
  readonly routeId?: string;
  readonly upstreamId?: string;
  readonly startUnixMs: number;
}

/** A piece of a body. */
export interface BodyChunk {
  readonly data: Uint8Array;
  /** From 0. */
  readonly index: number;
  readonly isLast: boolean;
  /** Bytes of the body up to and including this piece. */
  readonly bytesSoFar: number;
  /** Bytes of the whole body, when known. */
  readonly totalBytes?: number;
}

/** The six types of a WebSocket frame (RFC 6455 section 5.2), with their numbers on the wire. */
export const websocketOpcodes = Object.freeze({ continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 });

/** What agents are asked about. */
export type AgentMessage =
  | {
      readonly kind: 'request_headers';
      readonly method: string;
      /** Path and query. */
      readonly uri: string;
      readonly headers: FlatHeaders;
      readonly hasBody: boolean;
    }
  | {
      readonly kind: 'response_headers';
      readonly status: number;
      readonly headers: FlatHeaders;
      readonly hasBody: boolean;
    }
  | { readonly kind: 'request_body' | 'response_body'; readonly chunk: BodyChunk }
  | {
      readonly kind: 'websocket_frame';
      readonly opcode: keyof typeof websocketOpcodes;
      readonly data: Uint8Array;
      readonly clientToServer: boolean;
      /** From 0, in each direction. */
      readonly frameIndex: number;
      readonly isFinal: boolean;
    }
  | {
      readonly kind: 'guardrail';
      readonly inspection: 'prompt_injection' | 'pii_detection';
      readonly content: string;
      readonly model?: string;
      readonly categories: readonly string[];
    };

/** How a request ended. */
export interface RequestSummary {
  readonly status: number;
  readonly durationMs: number;
  readonly requestBodyBytes: number;
  readonly responseBodyBytes: number;
  readonly upstreamAttempts: number;
  readonly upstreamId?: string;
  readonly error?: string;
}

/** Why agents are told to stop working on a request; the number is the one on the wire. */
export const cancelReasons = Object.freeze({
  clientDisconnect: 1,
  timeout: 2,
  blockedByAgent: 3,
  upstreamError: 4,
  proxyShutdown: 5,
  manual: 6,
});

/** One of the reasons to cancel. */
export type CancelReason = keyof typeof cancelReasons;

/** The numbers by which agents list the events they take (docs/gateway.md, agents). */
const eventNumbers: Readonly<Record<number, AgentEvent>> = {
  1: 'request_headers',
  2: 'request_body',
  3: 'response_headers',
  4: 'response_body',
  5: 'request_complete',
  6: 'websocket_frame',
  7: 'guardrail',
};

/** The events an agent says it takes; undefined when it lists none, which means all. Unknown numbers are ignored. */
export function eventsFromNumbers(numbers: readonly number[]): ReadonlySet<AgentEvent> | undefined {
  if (numbers.length === 0) return undefined;
  const events = new Set<AgentEvent>();
  for (const number of numbers) {
    const event = eventNumbers[number];
    if (event !== undefined) events.add(event);
  }
  return events;
}
