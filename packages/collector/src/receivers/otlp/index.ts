import type { ReceiverFactory } from '@clew/pipeline';
import { otlpReceiverConfig } from './config.ts';
import type { OtlpReceiverConfig } from './config.ts';
import { OtlpReceiver } from './otlp-receiver.ts';

/** The `otlp` receiver: OTLP over gRPC and HTTP. */
export const otlpReceiverFactory: ReceiverFactory<OtlpReceiverConfig> = {
  kind: 'receiver',
  type: 'otlp',
  stability: { traces: 'stable' },
  placement: 'stateless',
  configSchema: otlpReceiverConfig,
  create: ({ id, config, telemetry }, outputs) => new OtlpReceiver(id, config, telemetry, outputs),
};
