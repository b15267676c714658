import { describeProcessorContract, settingProblems } from '@clew/pipeline/contract-tests';
import { describe, expect, it } from 'vitest';
import { adaptiveSamplingProcessorFactory as factory } from './index.ts';

describeProcessorContract({ factory, settings: null });

describe('the adaptive_sampling processor', () => {
  it('has no settings', () => {
    expect(settingProblems(factory, null)).toEqual([]);
    expect(settingProblems(factory, { target: 1 })).toEqual(["'' has invalid keys: target"]);
  });
});
