import type { ReceiverFactory } from '@clew/pipeline';
import { AwsXrayReceiver } from './aws-xray-receiver.ts';
import { awsXrayReceiverConfig } from './config.ts';
import type { AwsXrayReceiverConfig } from './config.ts';

/** The `awsxray` receiver: what X-Ray SDKs send to the X-Ray daemon. A singleton, because one thread receives the datagrams of a port. */
export const awsXrayReceiverFactory: ReceiverFactory<AwsXrayReceiverConfig> = {
  kind: 'receiver',
  type: 'awsxray',
  aliases: ['aws_xray'],
  stability: { traces: 'beta' },
  placement: 'singleton',
  configSchema: awsXrayReceiverConfig,
  create: ({ id, config, telemetry }, outputs) => new AwsXrayReceiver(id, config, telemetry, outputs),
};
