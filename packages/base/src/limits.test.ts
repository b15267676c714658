import { describe, expect, it } from 'vitest';
import { BaseError } from './errors.ts';
import { Limit, observeLimits } from './limits.ts';
import { PrometheusMeter } from './node/meter.ts';

const definition = {
  name: 'request_body_bytes',
  setting: 'max_request_body_size',
  subject: 'the request body',
  unit: 'bytes',
  defaultValue: 1024,
} as const;

describe('Limit', () => {
  it('names the limit, the value seen and the setting when it refuses', () => {
    const limit = new Limit(definition);
    expect(() => limit.check(2048)).toThrow(
      'the request body exceeds the limit of 1024 bytes (1 KiB) (seen: 2048 bytes (2 KiB)); raise max_request_body_size to allow more',
    );
    expect(() => limit.check(2048)).toThrow(BaseError);
  });

  it('lets everything through at 0 and everything up to the value otherwise', () => {
    expect(new Limit(definition, 0).allows(Number.MAX_SAFE_INTEGER)).toBe(true);
    expect(new Limit(definition).allows(1024)).toBe(true);
    expect(new Limit(definition).allows(1025)).toBe(false);
  });

  it('is visible as metrics', async () => {
    const meter = new PrometheusMeter();
    const limit = new Limit(definition);
    observeLimits(meter, [limit]);
    limit.exceeded();
    const text = await meter.expose({ withoutScopeInfo: true, withoutUnits: true, withoutTypeSuffix: true });
    expect(text).toContain('clew_limit_value{limit="request_body_bytes",setting="max_request_body_size"} 1024');
    expect(text).toContain('clew_limit_exceeded_total{limit="request_body_bytes",setting="max_request_body_size"} 1');
  });
});
