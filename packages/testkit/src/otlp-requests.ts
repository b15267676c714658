import { SpanBatch } from '@clew/model';
import { encodeTraces } from '@clew/wire/otlp';
import type { SpanGenerator } from './spans/generator.ts';

/** The next `spans` spans of `generator` as an OTLP `ExportTraceServiceRequest` in protobuf. */
export function nextRequest(generator: SpanGenerator, spans: number): Uint8Array {
  scratch.reset();
  generator.fill(scratch, spans);
  return encodeTraces(scratch).slice();
}

const scratch = new SpanBatch();
