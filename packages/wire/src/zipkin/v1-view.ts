import { ValueType } from '@clew/model';
import { isAbsent, setSum } from './micros.ts';
import type { Micros } from './micros.ts';
import type { ZipkinSpanView } from './span-view.ts';
import { isText } from './special-tags.ts';

/** By Zipkin's number of a kind: the annotations that begin and end a span of it, and the key of the other side's address. */
const CORE_OF_KIND: readonly (readonly [begin: string, end: string, address: string])[] = [
  ['', '', 'sa'],
  ['cs', 'cr', 'sa'],
  ['sr', 'ss', 'ca'],
  ['ms', 'ws', 'ma'],
  ['wr', 'mr', 'ma'],
];

/** A Zipkin v2 span as a v1 span: the annotations that say what v2 has fields for. */
export class V1SpanView {
  /** The core annotations are `coreNames[0, coreCount)`, at `coreTimes`. */
  coreCount = 0;
  readonly coreNames: string[] = ['', ''];
  readonly coreTimes: readonly [Micros, Micros] = [
    { lo: 0, hi: 0 },
    { lo: 0, hi: 0 },
  ];
  /** The key of the remote endpoint's binary annotation; empty when there is none. */
  addressKey = '';
  /** Whether an empty `lc` must be written, as nothing else would carry the local endpoint. */
  needsMarker = false;
  /** Whether timestamp and duration are the span's own: who joined a span another began does not say them. */
  hasOwnTimes = true;
  readonly #timestamp: Micros = { lo: 0, hi: 0 };
  readonly #duration: Micros = { lo: 0, hi: 0 };

  /** Looks at the span `view` was moved to. */
  load(view: ZipkinSpanView): void {
    const { annotations, kind, local, remote, tags } = view;
    const [begin, end, address] = CORE_OF_KIND[kind]!;
    this.#timestamp.lo = view.timestampLo;
    this.#timestamp.hi = view.timestampHi;
    this.#duration.lo = view.durationLo;
    this.#duration.hi = view.durationHi;
    this.coreCount = 0;
    this.hasOwnTimes = !view.isShared;
    this.addressKey = remote.isEmpty ? '' : address;
    const hasEnd = !isAbsent(this.#duration);
    // An end whose start nobody said is an annotation, and tells the kind; with a start it would tell a duration.
    if (kind !== 0 && (hasEnd || !hasAnnotation(view, end))) {
      // A consumer that did not wait has only the moment it received.
      this.#core(kind === 4 && !hasEnd ? end : begin, this.#timestamp);
      if (hasEnd) {
        setSum(this.coreTimes[1], this.#timestamp, this.#duration);
        this.#core(end, this.coreTimes[1]);
      }
    }
    this.needsMarker = !local.isEmpty && this.coreCount + annotations.order.length + tags.order.length === 0;
  }

  #core(name: string, time: Micros): void {
    const at = this.coreCount++;
    this.coreNames[at] = name;
    this.coreTimes[at as 0 | 1].lo = time.lo;
    this.coreTimes[at as 0 | 1].hi = time.hi;
  }
}

function hasAnnotation({ annotations, texts }: ZipkinSpanView, text: string): boolean {
  return annotations.order.some((at) => {
    const start = annotations.textStart[at]!;
    return isText(texts.bytes, start, annotations.textEnd[at]! - start, text);
  });
}

/** The type a tag has in v1: that of its attribute when v1 knows it, else text. */
export function v1TypeOf(view: ZipkinSpanView, tag: number): ValueType {
  const attribute = view.tags.attribute[tag]!;
  const type = attribute < 0 ? ValueType.STRING : view.batch.spanAttrs.types[attribute]!;
  const isKnown =
    type === ValueType.BOOL || type === ValueType.INT || type === ValueType.DOUBLE || type === ValueType.BYTES;
  return isKnown ? type : ValueType.STRING;
}

/** Whether a tag is written under the key `lc`, under which it came. */
export function isRenamedTag(view: ZipkinSpanView, tag: number): boolean {
  const { tags, texts } = view;
  if (!view.isLocalComponent || tags.keyEnd[tag]! - tags.keyStart[tag]! !== 9) return false;
  return isText(texts.bytes, tags.keyStart[tag]!, 9, 'component');
}
