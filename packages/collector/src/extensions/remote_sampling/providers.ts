import { Limit } from '@clew/base';
import type { CreateSettings } from '@clew/pipeline';
import { AdaptiveStrategies } from './adaptive/adaptive-strategies.ts';
import { adaptiveEvents } from './adaptive/telemetry.ts';
import type { AdaptiveEvents } from './adaptive/telemetry.ts';
import type { RemoteSamplingConfig } from './config.ts';
import { FileStrategies } from './file/file-strategies.ts';
import { strategiesSource } from './file/strategies-source.ts';
import { RemoteStrategies } from './remote/remote-strategies.ts';
import type { StrategyProvider } from './strategy-provider.ts';
import type { SamplingEvents } from './telemetry.ts';

/** A provider, and the limits it has. */
export interface CreatedProvider {
  readonly provider: StrategyProvider;
  readonly limits: readonly Limit[];
}

/** Makes the provider that the settings name; they name exactly one. Nothing is started. */
export function createProvider(
  { id, config, telemetry }: CreateSettings<RemoteSamplingConfig>,
  events: SamplingEvents,
  maxServices: Limit,
): CreatedProvider {
  const { source, adaptive } = config;
  const file = source === undefined ? (config.file ?? defaultFile) : fileOf(source);
  if (adaptive !== undefined) return createAdaptive(id, adaptive, adaptiveEvents(telemetry, id), maxServices);
  if (source?.remote !== undefined) {
    const options = { server: source.remote, reloadIntervalMs: source.reload_interval, maxServices };
    return { provider: new RemoteStrategies(options), limits: [] };
  }
  const maxBytes = new Limit(
    {
      name: 'sampling_strategies_bytes',
      setting: `extensions::${id}::file::max_bytes`,
      subject: 'the file of sampling strategies',
      unit: 'bytes',
      defaultValue: defaultFile.max_bytes,
    },
    file.max_bytes,
  );
  const provider = new FileStrategies({
    reloadIntervalMs: file.reload_interval,
    defaultProbability: file.default_sampling_probability,
    events,
    ...(file.path === '' ? {} : { source: strategiesSource(file.path, maxBytes) }),
  });
  return { provider, limits: [maxBytes] };
}

type FileConfig = NonNullable<RemoteSamplingConfig['file']>;

const defaultFile: FileConfig = {
  path: '',
  reload_interval: 0,
  default_sampling_probability: 0.001,
  max_bytes: 16 * 1024 * 1024,
};

function fileOf(source: NonNullable<RemoteSamplingConfig['source']>): FileConfig {
  return { ...defaultFile, path: source.file, reload_interval: source.reload_interval };
}

function createAdaptive(
  id: string,
  config: NonNullable<RemoteSamplingConfig['adaptive']>,
  events: AdaptiveEvents,
  maxServices: Limit,
): CreatedProvider {
  const maxOperations = new Limit(
    {
      name: 'sampling_operations',
      setting: `extensions::${id}::adaptive::max_operations_per_service`,
      subject: 'the number of operations of a service with a sampling probability of their own',
      unit: 'items',
      defaultValue: 2000,
    },
    config.max_operations_per_service,
  );
  const provider = new AdaptiveStrategies({
    targetSamplesPerSecond: config.target_samples_per_second,
    deltaTolerance: config.delta_tolerance,
    intervalMs: Math.round(config.calculation_interval),
    aggregationBuckets: config.aggregation_buckets,
    calculationBuckets: config.calculation_buckets,
    calculationDelayMs: config.calculation_delay,
    initialSamplingProbability: config.initial_sampling_probability,
    minSamplingProbability: config.min_sampling_probability,
    minSamplesPerSecond: config.min_samples_per_second,
    leaderLeaseRefreshMs: config.leader_lease_refresh_interval,
    followerLeaseRefreshMs: config.follower_lease_refresh_interval,
    maxServices,
    maxOperations,
    events,
    ...(config.sampling_store === undefined ? {} : { storage: config.sampling_store }),
  });
  return { provider, limits: [maxOperations] };
}
