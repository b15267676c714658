import type { ReceiverFactory } from '@clew/pipeline';
import { jaegerReceiverConfig } from './config.ts';
import type { JaegerReceiverConfig } from './config.ts';
import { JaegerReceiver } from './jaeger-receiver.ts';

/**
 * The `jaeger` receiver. A singleton, because remote sampling answers on its ports too and needs the store; decoding Jaeger's
 * formats in edge workers would need both to share a port across threads.
 */
export const jaegerReceiverFactory: ReceiverFactory<JaegerReceiverConfig> = {
  kind: 'receiver',
  type: 'jaeger',
  stability: { traces: 'stable' },
  placement: 'singleton',
  configSchema: jaegerReceiverConfig,
  create: ({ id, config, telemetry }, outputs) => new JaegerReceiver(id, config, telemetry, outputs),
};
