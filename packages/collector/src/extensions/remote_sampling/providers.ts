import { Limit } from '@clew/base';
import type { CreateSettings } from '@clew/pipeline';
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
  { id, config }: CreateSettings<RemoteSamplingConfig>,
  events: SamplingEvents,
  maxServices: Limit,
): CreatedProvider {
  const { source, file = fileOf(source) } = config;
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

function fileOf(source: RemoteSamplingConfig['source']): FileConfig {
  if (source === undefined) return defaultFile;
  return { ...defaultFile, path: source.file, reload_interval: source.reload_interval };
}
