import type { Template } from './patched-template.ts';

/**
 * An OTLP protobuf request that can be sent again and again as a different one: ids and times are rewritten in place, so that a load
 * generator costs almost nothing per span. A server that recognises repeated requests sees a new one every time.
 */
export class RequestTemplate implements Template {
  readonly bytes: Uint8Array;
  readonly spans: number;
  /** Offsets of trace ids (16 bytes). Those of links are left alone. */
  readonly #traceIds: number[] = [];
  /** Offsets of fixed64 times: starts, ends and event times. */
  readonly #times: number[] = [];
  readonly #view: DataView;
  #lastUnixNano: bigint;
  #counter: number;

  /**
   * @param bytes an encoded ExportTraceServiceRequest, owned by the template from now on
   * @param baseUnixNano the time its spans are around
   * @param run tells runs apart
   */
  constructor(bytes: Uint8Array, baseUnixNano: bigint, run: number) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#lastUnixNano = baseUnixNano;
    this.#counter = run << 20;
    this.spans = this.#index();
  }

  /**
   * Makes the bytes a request that was never sent, its spans around `nowUnixNano`. Templates cut from one stream of spans and renewed
   * equally often keep sharing their traces, as the services of a system do.
   */
  renew(nowUnixNano: bigint): Uint8Array {
    const mark = ++this.#counter;
    const shift = nowUnixNano - this.#lastUnixNano;
    this.#lastUnixNano = nowUnixNano;
    for (const at of this.#traceIds) this.#view.setUint32(at, mark);
    for (const at of this.#times) this.#view.setBigUint64(at, this.#view.getBigUint64(at, true) + shift, true);
    return this.bytes;
  }

  /** The first trace id as it now stands, lower-case hex. */
  firstTraceId(): string {
    const at = this.#traceIds[0]!;
    return Buffer.from(this.bytes.subarray(at, at + 16)).toString('hex');
  }

  /** Walks request → resource spans → scope spans → span and notes where ids and times are. */
  #index(): number {
    let spans = 0;
    this.#fields(0, this.bytes.length, (field, start, end) => {
      if (field !== 1) return;
      this.#fields(start, end, (inResource, resourceStart, resourceEnd) => {
        if (inResource !== 2) return;
        this.#fields(resourceStart, resourceEnd, (inScope, scopeStart, scopeEnd) => {
          if (inScope !== 2) return;
          spans++;
          this.#span(scopeStart, scopeEnd);
        });
      });
    });
    return spans;
  }

  #span(start: number, end: number): void {
    this.#fields(start, end, (field, from, to) => {
      if (field === 1) this.#traceIds.push(from);
      else if (field === 7 || field === 8) this.#times.push(from);
      else if (field === 11) {
        this.#fields(from, to, (inEvent, eventFrom) => {
          if (inEvent === 1) this.#times.push(eventFrom);
        });
      }
    });
  }

  #fields(start: number, end: number, visit: (field: number, start: number, end: number) => void): void {
    let at = start;
    const varint = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = this.bytes[at++]!;
        value += (byte & 0x7f) * scale;
        if (byte < 0x80) return value;
      }
    };
    while (at < end) {
      const tag = varint();
      const wireType = tag & 7;
      if (wireType === 0) {
        varint();
        continue;
      }
      const length = wireType === 2 ? varint() : wireType === 1 ? 8 : 4;
      visit(tag >>> 3, at, at + length);
      at += length;
    }
  }
}
