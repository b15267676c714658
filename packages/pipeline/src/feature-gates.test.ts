import { describe, expect, it } from 'vitest';
import { FeatureGates } from './feature-gates.ts';

function parsed(text: string): FeatureGates {
  const gates = FeatureGates.parse(text);
  if (!gates.ok) throw new Error(gates.error);
  return gates.value;
}

describe('FeatureGates', () => {
  it('refuses a gate that does not exist and names those that do', () => {
    expect(FeatureGates.parse('+confmap.enableMergeAppendOptions')).toEqual({
      ok: false,
      error: expect.stringMatching(
        /^feature gate "confmap\.enableMergeAppendOptions" is unregistered \(did you mean "confmap\.enableMergeAppendOption"\?\); known gates: /,
      ) as string,
    });
  });

  it('has alpha gates off and beta gates on until told otherwise', () => {
    const untold = parsed('');
    expect(untold.isEnabled('confmap.enableMergeAppendOption')).toBe(false);
    expect(untold.isEnabled('coreinternal.attraction.hash.sha256')).toBe(true);
    const told = parsed('+confmap.enableMergeAppendOption, -coreinternal.attraction.hash.sha256');
    expect(told.isEnabled('confmap.enableMergeAppendOption')).toBe(true);
    expect(told.isEnabled('coreinternal.attraction.hash.sha256')).toBe(false);
  });
});
