import type { ComponentFactory } from '@clew/pipeline';
import { forwardConnectorFactory } from './connectors/forward/index.ts';
import { debugExporterFactory } from './exporters/debug/index.ts';
import { otlpExporterFactory } from './exporters/otlp/index.ts';
import { otlpHttpExporterFactory } from './exporters/otlphttp/index.ts';
import { healthCheckExtensionFactory } from './extensions/health_check/index.ts';
import { remoteSamplingExtensionFactory } from './extensions/remote_sampling/index.ts';
import { adaptiveSamplingProcessorFactory } from './processors/adaptive_sampling/index.ts';
import { attributesProcessorFactory } from './processors/attributes/index.ts';
import { batchProcessorFactory } from './processors/batch/index.ts';
import { filterProcessorFactory } from './processors/filter/index.ts';
import { memoryLimiterProcessorFactory } from './processors/memory_limiter/index.ts';
import { resourceProcessorFactory } from './processors/resource/index.ts';
import { awsXrayReceiverFactory } from './receivers/awsxray/index.ts';
import { jaegerReceiverFactory } from './receivers/jaeger/index.ts';
import { otlpReceiverFactory } from './receivers/otlp/index.ts';
import { zipkinReceiverFactory } from './receivers/zipkin/index.ts';

export type { ServerAuthenticator } from './auth/authenticator.ts';
export { CollectorError } from './errors.ts';
export type { CollectorErrorCode } from './errors.ts';

/** Every component of this package, by the order of a configuration's sections. */
export const collectorFactories: readonly ComponentFactory[] = [
  otlpReceiverFactory,
  jaegerReceiverFactory,
  zipkinReceiverFactory,
  awsXrayReceiverFactory,
  batchProcessorFactory,
  memoryLimiterProcessorFactory,
  attributesProcessorFactory,
  resourceProcessorFactory,
  filterProcessorFactory,
  adaptiveSamplingProcessorFactory,
  otlpExporterFactory,
  otlpHttpExporterFactory,
  debugExporterFactory,
  forwardConnectorFactory,
  healthCheckExtensionFactory,
  remoteSamplingExtensionFactory,
];
