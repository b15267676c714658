import { SpanBatch } from '@clew/model';
import { SpanGenerator, type SpanGeneratorOptions } from './generator.ts';

export { SpanGenerator } from './generator.ts';
export type { SpanGeneratorOptions } from './generator.ts';
export { Random, SkewedPicker } from './random.ts';
export { makeServices } from './world.ts';
export type { Operation, Service, SpanProfile } from './world.ts';

/** A batch of `count` light spans (6 attributes, about 230 OTLP bytes each). */
export function lightSpans(count: number, options: Omit<SpanGeneratorOptions, 'profile'> = {}): SpanBatch {
  return generated(count, { ...options, profile: 'light' });
}

/** A batch of `count` rich spans (15 attributes, an event in ten, about 600 OTLP bytes each). */
export function richSpans(count: number, options: Omit<SpanGeneratorOptions, 'profile'> = {}): SpanBatch {
  return generated(count, { ...options, profile: 'rich' });
}

function generated(count: number, options: SpanGeneratorOptions): SpanBatch {
  const batch = new SpanBatch();
  new SpanGenerator(options).fill(batch, count);
  return batch;
}
