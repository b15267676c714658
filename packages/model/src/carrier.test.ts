import { describe, expect, it } from 'vitest';
import { Carrier, isCarrierKey } from './carrier.ts';

describe('carrier attributes', () => {
  it('are told apart from what users send', () => {
    for (const key of Object.values(Carrier)) expect(isCarrierKey(key)).toBe(true);
    for (const key of ['', 'clew', 'clew.carrier', 'http.carrier', 'Clew.carrier.format'])
      expect(isCarrierKey(key), key).toBe(false);
  });
});
