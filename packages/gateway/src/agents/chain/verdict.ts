import type { AgentAnswer, GuardrailFinding, HeaderOperation, WebsocketDecision } from '../answer.ts';
import type { LocalResponse } from './response.ts';
import type { AgentError } from '../errors.ts';

/** What agents want to have in the audit log, of all that were asked. */
export interface MergedAudit {
  readonly tags: readonly string[];
  readonly ruleIds: readonly string[];
  readonly reasonCodes: readonly string[];
  readonly custom: Readonly<Record<string, unknown>>;
  /** The highest of all. */
  readonly confidence?: number;
}

/** What agents change, whatever they decided. */
export interface ChainEffects {
  /** For the request that is sent upstream, in the order they are to be applied; none that is not an agent's to make. */
  readonly requestHeaders: readonly HeaderOperation[];
  /** For the response that is sent to the client, whichever event they came with. */
  readonly responseHeaders: readonly HeaderOperation[];
  readonly routingMetadata: Readonly<Record<string, string>>;
  readonly audit: MergedAudit;
}

/** Who refused a request, and how. */
export interface Refusal {
  readonly agentId: string;
  /** `failure`: the agent could not be asked, and the request must not pass without it. */
  readonly reason: 'block' | 'redirect' | 'challenge' | 'failure';
  readonly response: LocalResponse;
  /** Present for `failure`. */
  readonly error?: AgentError;
}

/** What all agents together decided about an event. */
export type ChainVerdict = ChainEffects &
  (
    | {
        readonly kind: 'allow';
        /** For WebSocket frames. */
        readonly websocket: WebsocketDecision;
        /** For inspected content: what the first agent found that found something, else the last word. */
        readonly guardrail?: GuardrailFinding;
      }
    | { readonly kind: 'refuse'; readonly refusal: Refusal }
  );

/** Gathers answers in the order of the chain. */
export class EffectCollector {
  readonly #requestHeaders: HeaderOperation[] = [];
  readonly #responseHeaders: HeaderOperation[] = [];
  readonly #tags: string[] = [];
  readonly #ruleIds: string[] = [];
  readonly #reasonCodes: string[] = [];
  #routingMetadata: Record<string, string> = {};
  #custom: Record<string, unknown> = {};
  #confidence: number | undefined;

  /** Takes the changes of an agent that allowed, already filtered. */
  addChanges(requestHeaders: readonly HeaderOperation[], responseHeaders: readonly HeaderOperation[]): void {
    this.#requestHeaders.push(...requestHeaders);
    this.#responseHeaders.push(...responseHeaders);
  }

  /** Takes what an agent wants to be known, whatever it decided. Later routing metadata wins. */
  addFacts({ routingMetadata, audit }: AgentAnswer): void {
    this.#routingMetadata = { ...this.#routingMetadata, ...routingMetadata };
    this.#tags.push(...audit.tags);
    this.#ruleIds.push(...audit.ruleIds);
    this.#reasonCodes.push(...audit.reasonCodes);
    this.#custom = { ...this.#custom, ...audit.custom };
    if (audit.confidence !== undefined) this.#confidence = Math.max(this.#confidence ?? 0, audit.confidence);
  }

  /** Everything gathered. */
  effects(): ChainEffects {
    const audit: MergedAudit = {
      tags: this.#tags,
      ruleIds: this.#ruleIds,
      reasonCodes: this.#reasonCodes,
      custom: this.#custom,
      ...(this.#confidence === undefined ? {} : { confidence: this.#confidence }),
    };
    return {
      requestHeaders: this.#requestHeaders,
      responseHeaders: this.#responseHeaders,
      routingMetadata: this.#routingMetadata,
      audit,
    };
  }
}
