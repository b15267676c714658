import { createOtlpClient } from '@clew/net';
import type { OtlpClient } from '@clew/net';
import type { CommandInput, CommandIo, CommandOption } from '../cli/command.ts';
import { ClewError } from '../errors.ts';

const defaultEndpoint = 'http://127.0.0.1:4318';
const protocols = ['http/protobuf', 'http/json', 'grpc'] as const;

/** Options of commands that send spans. */
export const targetOptions: Readonly<Record<string, CommandOption>> = {
  endpoint: {
    type: 'string',
    value: 'URL',
    help: `Where to send (OTEL_EXPORTER_OTLP_ENDPOINT; default ${defaultEndpoint}).`,
  },
  protocol: {
    type: 'string',
    value: 'NAME',
    help: `${protocols.join(', ')} (OTEL_EXPORTER_OTLP_PROTOCOL; default http/protobuf).`,
  },
};

/** A client for the target the options and environment name. It gives up after ten seconds: somebody is watching. */
export function targetClient(input: CommandInput, io: CommandIo): OtlpClient {
  const protocol = input.text('protocol') ?? io.env['OTEL_EXPORTER_OTLP_PROTOCOL'] ?? 'http/protobuf';
  const known = protocols.find((name) => name === protocol);
  if (known === undefined)
    throw new ClewError('usage', `--protocol is "${protocol}"; it must be one of ${protocols.join(', ')}`);
  return createOtlpClient({
    protocol: known,
    endpoint: targetEndpoint(input, io),
    timeoutMs: 10_000,
    retry: { initialIntervalMs: 250, maxIntervalMs: 2_000, maxElapsedTimeMs: 10_000 },
    userAgent: 'clew-cli',
    onRetry: ({ error, delayMs }) => io.stderr.write(`${error.message}; trying again in ${Math.round(delayMs)} ms\n`),
  });
}

/** Where the options and environment say to send. */
export function targetEndpoint(input: CommandInput, io: CommandIo): string {
  return input.text('endpoint') ?? io.env['OTEL_EXPORTER_OTLP_ENDPOINT'] ?? defaultEndpoint;
}
