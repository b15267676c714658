import { z } from 'zod';
import type { ComponentFactory, ComponentKind } from '../../component.ts';
import { ComponentRegistry } from '../../registry/registry.ts';
import { durationMs, secret, section, typedValue, uint } from '../schema.ts';

/** Factories that only describe themselves: loading never creates components. */
function described(kind: ComponentKind, type: string, configSchema: z.ZodType, extra: object = {}): ComponentFactory {
  const create = () => {
    throw new Error('loading a configuration must not create components');
  };
  return {
    kind,
    type,
    stability: { traces: 'stable' },
    placement: 'stateless',
    configSchema,
    create,
    ...extra,
  } as unknown as ComponentFactory;
}

const endpoint = z.strictObject({ endpoint: z.string().prefault('localhost:4317'), max_size: uint().optional() });

/** A registry with enough variety to exercise the loader. */
export const testRegistry = new ComponentRegistry([
  described(
    'receiver',
    'otlp',
    z.strictObject({
      protocols: z
        .strictObject({ grpc: endpoint.optional(), http: endpoint.optional() })
        .refine(({ grpc, http }) => grpc !== undefined || http !== undefined, {
          error: 'must specify at least one protocol',
        }),
    }),
  ),
  described(
    'processor',
    'batch',
    z
      .strictObject({
        timeout: durationMs().prefault('200ms'),
        send_batch_size: uint().prefault(8192),
        send_batch_max_size: uint().prefault(0),
      })
      .refine((batch) => batch.send_batch_max_size === 0 || batch.send_batch_max_size >= batch.send_batch_size, {
        error: 'send_batch_max_size must be greater or equal to send_batch_size',
      }),
  ),
  described('processor', 'typed', z.strictObject({ value: typedValue() })),
  described('processor', 'anything', z.record(z.string(), z.unknown())),
  described(
    'exporter',
    'otlp',
    z.strictObject({
      endpoint: z.string(),
      headers: z.record(z.string(), secret(z.string())).prefault({}),
      tls: section({ insecure: z.boolean().prefault(false) }),
      verbosity: z.enum(['basic', 'normal', 'detailed']).prefault('basic'),
      retries: uint().optional(),
    }),
  ),
  described('exporter', 'debug', z.strictObject({}), {
    deprecatedAliases: { logging: 'the type "logging" is now called "debug"' },
  }),
  described('connector', 'forward', z.strictObject({})),
  described('extension', 'health_check', z.strictObject({ pass_phrase: secret(z.string()).optional() })),
]);
