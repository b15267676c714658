import { isZero } from '@clew/model';
import type { SpanBatch } from '@clew/model';
import { appendUnsigned } from '../json/decimal.ts';
import { JsonWriter } from '../json/json-writer.ts';
import type { EndpointView } from './endpoint-view.ts';
import { ZipkinSpanView } from './span-view.ts';
import type { ZipkinEncodeOptions } from './span-view.ts';

/** What both versions of Zipkin's JSON write alike. */

const COMMA = 0x2c;
const BRACE_OPEN = 0x7b;

/** Writes spans as a JSON list; one of each version serves all calls. */
export class JsonListWriter {
  readonly out: JsonWriter = new JsonWriter();
  readonly view: ZipkinSpanView = new ZipkinSpanView();

  /** Calls `write` for each span, which `view` stands at. */
  list(batch: SpanBatch, options: ZipkinEncodeOptions, write: () => void): Uint8Array {
    const { out, view } = this;
    const { rows } = options;
    const count = rows === undefined ? batch.count : rows.length;
    view.open(batch, options, false);
    try {
      out.byte(0x5b);
      for (let at = 0; at < count; at++) {
        if (at > 0) out.byte(COMMA);
        view.load(rows === undefined ? at : rows[at]!);
        write();
      }
      out.byte(0x5d);
      return out.bytes.slice(0, out.length);
    } finally {
      out.reset();
      view.release();
    }
  }

  /** Begins a span: its ids. */
  ids(): void {
    const { out, view } = this;
    const { traceIds, parentIds, spanIds } = view.batch;
    const { row } = view;
    out.ascii('{"traceId":');
    // 16 digits when the upper half is zero.
    out.hex(traceIds, isZero(traceIds, row * 16, 8) ? row * 16 + 8 : row * 16, row * 16 + 16);
    if (!isZero(parentIds, row * 8, 8)) {
      out.ascii(',"parentId":');
      out.hex(parentIds, row * 8, row * 8 + 8);
    }
    out.ascii(',"id":');
    out.hex(spanIds, row * 8, row * 8 + 8);
  }

  /** Writes when the span began and how long it took, as far as that is known. */
  times(): void {
    const { view } = this;
    this.#micros(',"timestamp":', view.timestampLo, view.timestampHi);
    this.#micros(',"duration":', view.durationLo, view.durationHi);
  }

  #micros(name: string, lo: number, hi: number): void {
    if ((lo | hi) === 0) return;
    this.out.ascii(name);
    appendUnsigned(this.out, lo, hi);
  }

  /** Writes an endpoint under `name`, unless it has nothing. */
  endpoint(name: string, endpoint: EndpointView): void {
    if (endpoint.isEmpty) return;
    const { out } = this;
    out.ascii(`,"${name}":{`);
    this.#member('"serviceName":', endpoint.serviceStart, endpoint.serviceEnd);
    this.#member('"ipv4":', endpoint.ipv4Start, endpoint.ipv4End);
    this.#member('"ipv6":', endpoint.ipv6Start, endpoint.ipv6End);
    if (endpoint.port !== 0) {
      this.#comma();
      out.ascii('"port":');
      appendUnsigned(out, endpoint.port, 0);
    }
    out.byte(0x7d);
  }

  #member(name: string, start: number, end: number): void {
    if (end === start) return;
    this.#comma();
    this.out.ascii(name);
    this.text(start, end);
  }

  /** Separates members: none was written when the object was just opened. */
  #comma(): void {
    const { out } = this;
    if (out.bytes[out.length - 1] !== BRACE_OPEN) out.byte(COMMA);
  }

  /** Writes a text of the view. */
  text(start: number, end: number): void {
    this.out.string(this.view.texts.bytes, start, end);
  }
}
