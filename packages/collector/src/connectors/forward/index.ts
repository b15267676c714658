import type { ConnectorFactory } from '@clew/pipeline';
import { z } from 'zod';
import { CollectorError } from '../../errors.ts';
import { Forward } from './forward.ts';

const forwardConfigSchema = z.strictObject({});

/** The `forward` connector: joins pipelines of one signal. */
export const forwardConnectorFactory: ConnectorFactory<Record<string, never>> = {
  kind: 'connector',
  type: 'forward',
  stability: { traces: 'beta' },
  placement: 'stateless',
  configSchema: forwardConfigSchema,
  create({ id }, { traces }) {
    if (traces === undefined) {
      throw new CollectorError(
        'connector_unused',
        `connector "${id}" begins no pipeline; list it among the receivers of one`,
      );
    }
    return new Forward(traces);
  },
};
