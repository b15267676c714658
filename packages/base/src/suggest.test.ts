import { describe, expect, it } from 'vitest';
import { didYouMean, suggest } from './suggest.ts';

describe('suggest', () => {
  it('stays silent when nothing is near', () => {
    expect(suggest('zzz', ['timeout', 'endpoint'])).toBeUndefined();
    expect(didYouMean('zzz', ['timeout'])).toBe('');
  });

  it.each([
    ['timout', 'timeout'],
    ['tiemout', 'timeout'],
    ['sendBatchSize', 'send_batch_size'],
    ['send-batch-size', 'send_batch_size'],
    ['Endpoint', 'endpoint'],
  ])('finds what %s was meant to be', (typed, meant) => {
    expect(suggest(typed, ['endpoint', 'timeout', 'send_batch_size', 'send_batch_max_size'])).toBe(meant);
  });
});
