import { SpanBatch } from '@clew/model';
import { layOut } from './lay-out.ts';
import { seededRandom } from './random.ts';
import type { Random } from './random.ts';
import { drawCase, shopRequest } from './shop.ts';
import type { ShopCase } from './shop.ts';
import { demoBatch } from './to-batch.ts';

/** Keeps one request well below any server's size limit. */
const maxTracesPerBatch = 200;

/** A generator of demo traces. */
export class DemoTraffic {
  readonly #random: Random;

  /** @param seed the same seed gives the same traces; times are always the caller's */
  constructor(seed: number = Date.now()) {
    this.#random = seededRandom(seed);
  }

  /** One trace whose root starts at `startUnixNano`; its case is drawn unless given. */
  trace(
    startUnixNano: bigint,
    name: ShopCase = drawCase(this.#random),
  ): { readonly batch: SpanBatch; readonly traceId: string; readonly name: ShopCase } {
    const batch = new SpanBatch();
    const traceId = this.#append(batch, startUnixNano, name);
    return { batch, traceId, name };
  }

  /** `count` traces (at most 200) whose roots are spread evenly over the time before `endUnixNano`. */
  burst(count: number, endUnixNano: bigint, spreadNano: bigint): SpanBatch {
    const batch = new SpanBatch();
    const traces = Math.min(count, maxTracesPerBatch);
    for (let i = 0; i < traces; i++) {
      const start = endUnixNano - spreadNano + (spreadNano * BigInt(i)) / BigInt(traces);
      this.#append(batch, start, drawCase(this.#random));
    }
    return batch;
  }

  #append(batch: SpanBatch, startUnixNano: bigint, name: ShopCase): string {
    const traceId = this.#random.bytes(16);
    demoBatch(layOut(shopRequest(name, this.#random), this.#random), traceId, startUnixNano, batch);
    return Buffer.from(traceId).toString('hex');
  }
}
