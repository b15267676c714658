import { describeConnectorContract, settingsFor } from '@clew/pipeline/contract-tests';
import { describe, expect, it } from 'vitest';
import { forwardConnectorFactory as factory } from './index.ts';

describeConnectorContract({ factory, settings: null });

describe('the forward connector', () => {
  it('cannot be made when it begins no pipeline', () => {
    expect(() => factory.create(settingsFor(factory, null), {})).toThrow('connector "forward" begins no pipeline');
  });
});
