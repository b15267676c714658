import { SpanBatch } from '@clew/model';
import { KnownProcesses } from './known-processes.ts';
import { ModelTagReader } from './model-tags.ts';
import { TagOwner } from './span-sink.ts';

/** Fields of `Process` of model.proto as a bit set for `skipUnknown`. */
const KNOWN_PROCESS = 0b110;

const NONE = -1;
const NO_BATCH = new SpanBatch();

/**
 * Reads processes of Jaeger's api_v2 into resources, each once however many spans name it.
 *
 * A hot path, guarded by `bench/codec`.
 */
export class ModelProcessReader extends ModelTagReader {
  protected batch: SpanBatch = NO_BATCH;
  /** The processes of the request met so far. */
  protected readonly processes: KnownProcesses = new KnownProcesses();
  /** The resource of the process found last, and whether that is known to be written in Go. */
  protected resource: number = NONE;
  protected isGo = false;

  /** Sets `resource` and `isGo` to those of the process in `[start, end)`; no process at all is one without anything. */
  protected findProcess(at: number, start: number, end: number): void {
    const known = this.processes.find(this.buf, start, end);
    if (known >= 0) {
      this.resource = this.processes.resources[known]!;
      this.isGo = this.processes.isGo[known]!;
      return;
    }
    const { processes } = this.sink;
    this.resource = processes.begin(start === NONE ? at : start);
    if (start !== NONE) this.#process(start, end);
    processes.end();
    this.isGo = processes.isGo;
    this.processes.add(start, end, this.resource, this.isGo);
  }

  /** The name of the service goes before the tags, wherever it stands. */
  #process(start: number, end: number): void {
    const { processes } = this.sink;
    const { heapBase } = this.context;
    this.guesser.previous = 0;
    let serviceAt = 0;
    let serviceLength = 0;
    let pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const tag = this.lo;
      if (tag !== 0x0a && tag !== 0x12) {
        pos = this.skipUnknown(tag, pos, end, KNOWN_PROCESS);
        continue;
      }
      pos = this.length(pos, end);
      if (tag === 0x0a) {
        serviceAt = heapBase + pos;
        serviceLength = this.stop - pos;
      }
      pos = this.stop;
    }
    processes.service(serviceAt, serviceLength);
    pos = start;
    while (pos < end) {
      pos = this.tag(pos, end);
      const isTag = this.lo === 0x12;
      if (!isTag) {
        pos = this.skip(this.lo, pos, end, 1);
        continue;
      }
      pos = this.length(pos, end);
      const stop = this.stop;
      this.keyValue(TagOwner.PROCESS, this.batch.resourceAttrs, pos, stop);
      pos = stop;
    }
  }

  protected override release(): void {
    super.release();
    this.batch = NO_BATCH;
    this.sink.release();
  }
}
