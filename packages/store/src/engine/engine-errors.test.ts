import { describe, expect, it } from 'vitest';
import { engineError } from './engine-errors.ts';

const context = { comment: 'search', limits: { timeoutMs: 3_000, maxMemoryBytes: 1_000, maxResultRows: 10 } };

describe('an error of the engine', () => {
  it.each([
    [159, 'timeout', '3000 ms'],
    [241, 'memory_limit', '1000 bytes'],
    [396, 'result_limit', '10 result rows'],
    [202, 'overloaded', 'try again'],
    [394, 'cancelled', 'cancelled'],
    [243, 'disk_full', 'disk is full'],
    [60, 'sql_error', 'refused'],
  ])('with number %i becomes %s and says so', (engineCode, code, words) => {
    const error = engineError(`Code: ${engineCode}. DB::Exception: text.\n`, undefined, context);
    expect(error).toMatchObject({ code, details: { engineCode, statement: 'search' } });
    expect(error.message).toContain(words);
    expect(error.message).toContain('text.');
  });

  it('takes the number of the header before that of the text', () => {
    expect(engineError('Code: 60. x', '159', context)).toMatchObject({ code: 'timeout' });
  });

  it('is a full disk whatever the number when the system says so', () => {
    const text = 'Code: 75. DB::Exception: Cannot write to file: , errno: 28, strerror: No space left on device.';
    expect(engineError(text, undefined, context)).toMatchObject({ code: 'disk_full' });
  });

  it('without a number is a statement the engine refused', () => {
    expect(engineError('Bad gateway', undefined, context)).toMatchObject({
      code: 'sql_error',
      details: { engineCode: 0 },
    });
  });
});
