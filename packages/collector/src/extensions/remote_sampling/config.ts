import { grpcClientShape, grpcServerShape, httpServerShape } from '@clew/net';
import { byteSize, durationMs, uint } from '@clew/pipeline';
import { z } from 'zod';

/** An empty section (`file:`) means all of its defaults; an absent one is not meant. */
function meantByName<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (value === null ? {} : value), schema.optional());
}

const reloadInterval = durationMs()
  .prefault('0s')
  .refine((ms) => ms >= 0, 'reload interval must be a positive value, or zero to disable automatic reloading')
  .describe('How often the strategies are read again; 0 never.');

const file = z.strictObject({
  path: z.string().prefault('').describe('A file, or an http(s) address. Empty: the default probability for all.'),
  reload_interval: reloadInterval,
  default_sampling_probability: z
    .number()
    .min(0)
    .max(1)
    .prefault(0.001)
    .describe('What a service follows for which the file says nothing.'),
  max_bytes: byteSize().prefault('16MiB').describe('Size of the strategies, at most.'),
});

/** The form of the `jaegerremotesampling` extension of the collector. */
const source = z.strictObject({
  file: z.string().prefault('').describe('As file.path.'),
  remote: meantByName(z.strictObject(grpcClientShape)).describe('A server that is asked for strategies, over gRPC.'),
  reload_interval: reloadInterval,
});

/** A duration a timer can have. */
function timerMs(fallback: string) {
  return durationMs()
    .prefault(fallback)
    .refine((ms) => ms >= 10, 'must be at least 10ms');
}

const probability = z.number().min(0).max(1);

const adaptive = z
  .strictObject({
    sampling_store: z.string().optional().describe('Id of the storage; the one there is when absent.'),
    target_samples_per_second: z.number().positive().prefault(1).describe('Traces of each operation to arrive.'),
    delta_tolerance: z
      .number()
      .min(0)
      .prefault(0.3)
      .describe('How far from the target, as a share of it, nothing is changed.'),
    calculation_interval: timerMs('1m').describe(
      'How often probabilities are calculated, and what is counted together.',
    ),
    aggregation_buckets: uint().min(1).prefault(10).describe('Intervals that are looked at.'),
    calculation_buckets: uint().min(1).prefault(1).describe('Newest intervals whose rates are combined.'),
    calculation_delay: durationMs().prefault('2m').describe('How long traffic may take to arrive.'),
    initial_sampling_probability: probability.prefault(0.001).describe('For operations that were not seen yet.'),
    min_sampling_probability: probability.prefault(0.000_01).describe('No probability becomes smaller.'),
    min_samples_per_second: z
      .number()
      .min(0)
      .prefault(1 / 60)
      .describe('What each process of a service keeps of an operation anyway.'),
    leader_lease_refresh_interval: timerMs('5s').describe('How often the process that calculates prolongs its lease.'),
    follower_lease_refresh_interval: timerMs('60s').describe(
      'How long a lease holds, and how often others look at it.',
    ),
    max_operations_per_service: uint()
      .min(1)
      .prefault(2000)
      .describe('Operations of a service with a probability of their own: the busiest.'),
  })
  .refine(
    (config) => config.leader_lease_refresh_interval <= config.follower_lease_refresh_interval,
    'leader_lease_refresh_interval must not be longer than follower_lease_refresh_interval',
  )
  .refine(
    (config) => config.calculation_buckets <= config.aggregation_buckets,
    'calculation_buckets must not be more than aggregation_buckets',
  );

const enabled = z.boolean().prefault(true).describe('Whether it has a port of its own, beside those it shares.');

/** Settings of the `remote_sampling` extension. */
export const remoteSamplingConfig = z
  .strictObject({
    http: z.strictObject({ enabled, ...httpServerShape({ endpoint: 'localhost:5778' }) }).prefault({}),
    // What an empty endpoint means depends on the name the extension is used under.
    grpc: z.strictObject({ enabled, ...grpcServerShape({ endpoint: '' }) }).prefault({}),
    also_http_endpoints: z
      .array(z.string())
      .prefault([])
      .describe('Ports shared with a receiver, on which /sampling, /api/sampling and / are answered too.'),
    also_grpc_endpoints: z
      .array(z.string())
      .prefault([])
      .describe('Ports shared with a receiver, on which the gRPC service is offered too.'),
    file: meantByName(file),
    adaptive: meantByName(adaptive),
    source: meantByName(source),
    max_service_name_length: uint()
      .prefault(1024)
      .describe('Characters of the name a service asks in; longer ones are refused. 0 is no limit.'),
    max_services: uint().prefault(10_000).describe('Services that are remembered as asking; 0 is no limit.'),
  })
  .superRefine((config, context) => {
    const problem = providerProblem(config);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
  });

/** What the settings parse to. */
export type RemoteSamplingConfig = z.output<typeof remoteSamplingConfig>;

/**
 * Where gRPC is served when nobody says it: Jaeger 2 has a port for it; the collector's extension of the other name serves it where old
 * collectors do.
 */
export function grpcEndpointOf(id: string, endpoint: string): string {
  if (endpoint !== '') return endpoint;
  return id.split('/')[0] === 'jaegerremotesampling' ? 'localhost:14250' : 'localhost:5779';
}

interface Providers {
  readonly file?: { readonly path: string } | undefined;
  readonly adaptive?: unknown;
  readonly source?: { readonly file: string; readonly remote?: unknown } | undefined;
}

function providerProblem({ file: fromFile, adaptive: calculated, source: from }: Providers): string | undefined {
  if (fromFile === undefined && calculated === undefined && from === undefined) {
    return "no sampling strategy provider specified, expecting 'adaptive', 'file' or 'source'";
  }
  // A file section without a path only says what holds when nobody says anything.
  const given = [fromFile?.path === '' ? undefined : fromFile, calculated, from];
  if (given.filter((section) => section !== undefined).length > 1) {
    return "only one sampling strategy provider can be specified, 'adaptive', 'file' or 'source'";
  }
  if (from === undefined) return undefined;
  if (from.file !== '' && from.remote !== undefined) {
    return "too many sources specified, has to be either 'file' or 'remote'";
  }
  if (from.file === '' && from.remote === undefined) {
    return "no sources specified, has to be either 'file' or 'remote'";
  }
  return undefined;
}
