/** What an agent decided about a request. */
export type AgentDecision =
  | { readonly kind: 'allow' }
  | {
      readonly kind: 'block';
      /** Absent = 403. */
      readonly status?: number;
      readonly body?: string;
      readonly headers: readonly HeaderField[];
    }
  | { readonly kind: 'redirect'; readonly url: string; readonly status: number }
  | { readonly kind: 'challenge'; readonly challengeType: string; readonly params: Readonly<Record<string, string>> };

/** A header field. */
export type HeaderField = readonly [name: string, value: string];

/** One change to header fields; `remove` has an empty value. */
export interface HeaderOperation {
  readonly kind: 'set' | 'add' | 'remove';
  readonly name: string;
  readonly value: string;
}

/** What an agent wants to see in the audit log. */
export interface AgentAudit {
  readonly tags: readonly string[];
  readonly ruleIds: readonly string[];
  readonly reasonCodes: readonly string[];
  /** 0 to 1. */
  readonly confidence?: number;
  readonly custom: Readonly<Record<string, unknown>>;
}

/** What becomes of a piece of a body: replaced, dropped (replaced by nothing), or left as it is. */
export interface BodyMutation {
  readonly chunkIndex: number;
  /** Undefined = unchanged. */
  readonly replacement: Uint8Array | undefined;
}

/** What becomes of a WebSocket frame. */
export type WebsocketDecision =
  | { readonly kind: 'allow' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

/** What an inspection of content found. */
export interface GuardrailFinding {
  readonly detected: boolean;
  readonly confidence?: number;
  readonly detections: readonly Readonly<Record<string, unknown>>[];
  readonly redactedContent?: string;
}

/** An agent's answer to one event, whatever its dialect. */
export interface AgentAnswer {
  readonly decision: AgentDecision;
  /** The decision is provisional: the agent wants to see the body. */
  readonly needsMore: boolean;
  readonly requestHeaders: readonly HeaderOperation[];
  readonly responseHeaders: readonly HeaderOperation[];
  readonly routingMetadata: Readonly<Record<string, string>>;
  readonly audit: AgentAudit;
  readonly requestBodyMutation?: BodyMutation;
  readonly responseBodyMutation?: BodyMutation;
  readonly websocketDecision?: WebsocketDecision;
  readonly guardrail?: GuardrailFinding;
}

/** An audit that says nothing. */
export const emptyAudit: AgentAudit = Object.freeze({ tags: [], ruleIds: [], reasonCodes: [], custom: {} });

/** An answer that lets a request pass unchanged. */
export const plainAllow: AgentAnswer = Object.freeze({
  decision: Object.freeze({ kind: 'allow' as const }),
  needsMore: false,
  requestHeaders: [],
  responseHeaders: [],
  routingMetadata: {},
  audit: emptyAudit,
});
