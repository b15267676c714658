import type { ComponentFactory } from '@clew/pipeline';
import { otlpExporterFactory } from './exporters/otlp/index.ts';
import { otlpHttpExporterFactory } from './exporters/otlphttp/index.ts';
import { otlpReceiverFactory } from './receivers/otlp/index.ts';

export type { ServerAuthenticator } from './auth/authenticator.ts';
export { CollectorError } from './errors.ts';
export type { CollectorErrorCode } from './errors.ts';

/** Every component of this package, by the order of a configuration's sections. */
export const collectorFactories: readonly ComponentFactory[] = [
  otlpReceiverFactory,
  otlpExporterFactory,
  otlpHttpExporterFactory,
];
