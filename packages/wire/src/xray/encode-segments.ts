import { plainAt } from '@clew/model';
import type { PlainSpan, SpanBatch } from '@clew/model';
import type { JsonObject } from './json-tree.ts';
import { printJson } from './json-print.ts';
import { isDependency, LOCAL_ROOT } from './segment-name.ts';
import { isFromXray, restoreSegment } from './restore-segment.ts';
import type { Place } from './restore-segment.ts';
import { SegmentTree } from './segment-tree.ts';
import type { TreeSpan } from './segment-tree.ts';
import { printWithin } from './shrink.ts';
import type { ShrinkStep } from './shrink.ts';
import { translateLocalRoot, translateSegment } from './translate-segment.ts';
import type { TranslateOptions } from './translate-segment.ts';

/** X-Ray refuses larger documents. */
export const MAX_DOCUMENT_BYTES = 65_536;
/** X-Ray keeps traces 30 days; 28 leaves room. */
const MAX_AGE_SECONDS = 28 * 24 * 3600;
const MAX_SKEW_SECONDS = 5 * 60;

/** Something of a span that is not in the documents. */
export interface SegmentLoss {
  /** The span's row in the batch. */
  readonly row: number;
  /** `span` when there is no document of it at all, else what was left out so that its document fits. */
  readonly what: 'span' | ShrinkStep;
  readonly reason: string;
}

/** How {@link encodeSegments} writes documents. */
export interface EncodeSegmentsOptions {
  /** Keys of attributes that become annotations; those of the resource with `otel.resource.` before them. None by default. */
  readonly indexedAttributes?: readonly string[];
  /** Every attribute becomes an annotation. Default false. */
  readonly indexAllAttributes?: boolean;
  /** CloudWatch log groups of spans whose resource names none. */
  readonly logGroupNames?: readonly string[];
  /** Write spans whatever time their trace id tells; X-Ray has taken W3C trace ids since 2023. Default true. */
  readonly skipTimestampValidation?: boolean;
  /** Default 65,536, which is X-Ray's limit; for a datagram less. */
  readonly maxDocumentBytes?: number;
  /** The time trace ids are compared with. Default now. */
  readonly nowUnixSeconds?: number;
  /** Told of everything that is left out. */
  readonly onLoss?: (loss: SegmentLoss) => void;
}

/**
 * The spans of `batch` (or those of `rows`) as AWS X-Ray segment documents, UTF-8. Spans that came in segment documents are written as they
 * came, subsegments embedded where they were as long as the document fits and as subsegments of their own otherwise; every other span becomes a
 * document, or two when it is a local root that calls something. Nothing is longer than `maxDocumentBytes`: what has to go, goes in the order of
 * {@link ShrinkStep}.
 */
export function encodeSegments(
  batch: SpanBatch,
  rows?: ArrayLike<number>,
  options: EncodeSegmentsOptions = {},
): Uint8Array[] {
  return new SegmentEncoder(options).encode(batch, rows);
}

class SegmentEncoder {
  readonly #documents: Uint8Array[] = [];
  readonly #translate: TranslateOptions;
  readonly #maxBytes: number;
  readonly #skipValidation: boolean;
  readonly #nowSeconds: number;
  readonly #onLoss: (loss: SegmentLoss) => void;

  constructor(options: EncodeSegmentsOptions) {
    this.#translate = {
      indexedAttributes: options.indexedAttributes ?? [],
      indexAllAttributes: options.indexAllAttributes ?? false,
      logGroupNames: options.logGroupNames ?? [],
    };
    this.#maxBytes = options.maxDocumentBytes ?? MAX_DOCUMENT_BYTES;
    this.#skipValidation = options.skipTimestampValidation ?? true;
    this.#nowSeconds = options.nowUnixSeconds ?? Date.now() / 1000;
    this.#onLoss = options.onLoss ?? (() => undefined);
  }

  encode(batch: SpanBatch, rows: ArrayLike<number> | undefined): Uint8Array[] {
    const tree = new SegmentTree();
    const chosen = rows === undefined ? Array.from({ length: batch.count }, (_, row) => row) : Array.from(rows);
    for (const row of chosen) {
      const span = plainAt(batch, row);
      if (!this.#isAccepted(span, row)) continue;
      const resource = batch.scopeTable.resources[batch.scopes[row]!]!;
      tree.add({ row, span, resource, isFromXray: isFromXray(span) });
    }
    for (const node of tree.roots()) this.#encode(node, tree);
    return this.#documents;
  }

  #isAccepted({ traceId }: PlainSpan, row: number): boolean {
    if (this.#skipValidation) return true;
    const age = this.#nowSeconds - Number.parseInt(traceId.slice(0, 8) || '0', 16);
    if (age <= MAX_AGE_SECONDS && age >= -MAX_SKEW_SECONDS) return true;
    const reason = `invalid xray traceid: ${traceId}: its first 8 digits are not a time of the last 28 days`;
    this.#onLoss({ row, what: 'span', reason });
    return false;
  }

  #encode(node: TreeSpan, tree: SegmentTree): void {
    if (node.isFromXray) {
      this.#encodeSent(node, tree);
      return;
    }
    const isLocalRoot = node.span.attributes.some(({ key, value }) => key === 'aws.span.kind' && value === LOCAL_ROOT);
    if (isLocalRoot && isDependency(node.span.kind)) {
      for (const segment of translateLocalRoot(node.span, this.#translate)) this.#print(segment, node.row);
      return;
    }
    const segment = translateSegment(node.span, this.#translate);
    if (isLocalRoot) for (const member of ['type', 'namespace']) segment.members.delete(member);
    this.#print(segment, node.row);
  }

  #encodeSent(node: TreeSpan, tree: SegmentTree): void {
    const children = tree.childrenOf(node);
    if (children.length > 0) {
      const whole = printJson(restoreTree(node, 'root', tree));
      if (whole.length <= this.#maxBytes) {
        this.#documents.push(whole);
        return;
      }
    }
    this.#print(restoreSegment(node.span, 'root'), node.row);
    for (const child of children) this.#encodeSent(child, tree);
  }

  #print(segment: JsonObject, row: number): void {
    const { bytes, dropped } = printWithin(segment, this.#maxBytes);
    const reason = `the document is larger than ${this.#maxBytes} bytes`;
    for (const what of dropped) this.#onLoss({ row, what, reason });
    if (bytes === undefined) this.#onLoss({ row, what: 'span', reason });
    else this.#documents.push(bytes);
  }
}

function restoreTree(node: TreeSpan, place: Place, tree: SegmentTree): JsonObject {
  const segment = restoreSegment(node.span, place);
  const children = tree.childrenOf(node);
  if (children.length > 0) {
    segment.set(
      'subsegments',
      children.map((child) => restoreTree(child, { embeddedIn: node.span }, tree)),
    );
  }
  return segment;
}
