import type { Telemetry } from '@clew/base';

/** What SDKs ask of the proxy. */
export type SamplingCall = 'rules' | 'targets';

/** Tells that a sampling call was answered. */
export type OnSamplingCall = (call: SamplingCall) => void;

/** Counts the sampling calls of one receiver. */
export function countSamplingCalls({ meter }: Telemetry, receiver: string): OnSamplingCall {
  const calls = meter.counter({
    name: 'clew_xray_sampling_calls_total',
    help: 'Calls of X-Ray SDKs for sampling rules and targets that were answered.',
    labels: ['receiver', 'call'],
  });
  return (call) => calls.add(1, { receiver, call });
}
