import { errorMessage } from '@clew/base';
import { expositionContentType, exposeText } from '@clew/base/node';
import type { ExpositionOptions } from '@clew/base/node';
import { acquireListener, formatAddress, parseListenEndpoint } from '@clew/net';
import type { ListenerLease } from '@clew/net';
import type { TelemetryConfig } from '@clew/pipeline';
import type { OwnTelemetry } from './own-telemetry.ts';
import { version } from './version.ts';

/** The metrics text as one reader wants it. */
export async function exposeMetrics(
  telemetry: OwnTelemetry,
  options: Omit<ExpositionOptions, 'resource'>,
): Promise<string> {
  const resource = { 'service.name': 'clew', 'service.version': version };
  return exposeText(await telemetry.collect(), { ...options, resource });
}

interface Reader {
  readonly endpoint: string;
  readonly options: Omit<ExpositionOptions, 'resource'>;
}

/** The pull readers of `service::telemetry::metrics`, its legacy `address` among them. */
function pullReaders({ metrics }: TelemetryConfig): Reader[] {
  if (metrics.level === 'none') return [];
  const { level } = metrics;
  const plain = { withoutScopeInfo: true, withoutUnits: true, withoutTypeSuffix: true, level };
  if (metrics.address !== undefined) return [{ endpoint: metrics.address, options: plain }];
  return metrics.readers.flatMap(({ pull }) => {
    if (pull === undefined) return [];
    const { host, port, without_scope_info, without_units, without_type_suffix } = pull.exporter.prometheus;
    const options = {
      withoutScopeInfo: without_scope_info,
      withoutUnits: without_units,
      withoutTypeSuffix: without_type_suffix,
      level,
    };
    return [{ endpoint: `${host.includes(':') ? `[${host}]` : host}:${port}`, options }];
  });
}

/**
 * Serves own metrics where the configuration says. A taken port is an error when somebody configured it and otherwise a warning:
 * metrics are no reason not to receive.
 */
export async function startMetricsListeners(
  config: TelemetryConfig,
  telemetry: OwnTelemetry,
  configured: boolean,
): Promise<ListenerLease[]> {
  const leases: ListenerLease[] = [];
  for (const { endpoint, options } of pullReaders(config)) {
    try {
      const lease = await acquireListener({ endpoint: parseListenEndpoint(endpoint, 'tcp'), owner: 'own metrics' });
      lease.mountHttp({
        paths: ['/metrics'],
        handler: async () => ({
          status: 200,
          headers: { 'content-type': expositionContentType },
          body: await exposeMetrics(telemetry, options),
        }),
      });
      leases.push(lease);
      telemetry.logger.debug('Serving own metrics', { endpoint: formatAddress(lease.address) });
    } catch (caught) {
      if (configured) throw caught;
      telemetry.logger.warn('Own metrics are not served on their usual port; they are at /metrics of the query port.', {
        endpoint,
        reason: errorMessage(caught),
      });
    }
  }
  return leases;
}
