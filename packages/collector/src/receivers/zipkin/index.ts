import type { ReceiverFactory } from '@clew/pipeline';
import { zipkinReceiverConfig } from './config.ts';
import type { ZipkinReceiverConfig } from './config.ts';
import { ZipkinReceiver } from './zipkin-receiver.ts';

/** The `zipkin` receiver. */
export const zipkinReceiverFactory: ReceiverFactory<ZipkinReceiverConfig> = {
  kind: 'receiver',
  type: 'zipkin',
  stability: { traces: 'stable' },
  placement: 'stateless',
  configSchema: zipkinReceiverConfig,
  create: ({ id, config, telemetry }, outputs) => new ZipkinReceiver(id, config, telemetry, outputs),
};
