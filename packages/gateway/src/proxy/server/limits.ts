import { Limit } from '@clew/base';
import type { LimitsConfig } from '../../config/model/system.ts';

/** The `limits` block as limits that count what they refuse. */
export interface GatewayLimits {
  readonly headerBytes: Limit;
  readonly headerCount: Limit;
  readonly headerNameBytes: Limit;
  readonly headerValueBytes: Limit;
  readonly targetBytes: Limit;
  readonly bodyBytes: Limit;
  readonly bodyBufferBytes: Limit;
  readonly connectionsPerClient: Limit;
  readonly connections: Limit;
  readonly inFlightRequests: Limit;
}

/** Limits of a configuration. `maxConnections` is the `system` block's; the smaller of both holds. */
export function gatewayLimits(config: LimitsConfig, maxConnections: number): GatewayLimits {
  const limit = (name: string, key: string, subject: string, unit: 'bytes' | 'items', value: number): Limit =>
    new Limit({ name: `gateway_${name}`, setting: `limits.${key}`, subject, unit, defaultValue: value }, value);
  const ofConnections = Math.min(maxConnections, config.maxTotalConnections);
  const connectionsKey = ofConnections < config.maxTotalConnections ? 'system.max-connections' : undefined;
  return {
    headerBytes: limit('header_bytes', 'max-header-size', 'the request header', 'bytes', config.maxHeaderBytes),
    headerCount: limit(
      'header_count',
      'max-header-count',
      'the number of header lines',
      'items',
      config.maxHeaderCount,
    ),
    headerNameBytes: limit(
      'header_name_bytes',
      'max-header-name-bytes',
      'a header name',
      'bytes',
      config.maxHeaderNameBytes,
    ),
    headerValueBytes: limit(
      'header_value_bytes',
      'max-header-value-bytes',
      'a header value',
      'bytes',
      config.maxHeaderValueBytes,
    ),
    targetBytes: limit('target_bytes', 'max-target-bytes', 'the request target', 'bytes', config.maxTargetBytes),
    bodyBytes: limit('body_bytes', 'max-body-size', 'the request body', 'bytes', config.maxBodyBytes),
    bodyBufferBytes: limit(
      'body_buffer_bytes',
      'max-body-buffer-bytes',
      'the buffered body',
      'bytes',
      config.maxBodyBufferBytes,
    ),
    connectionsPerClient: limit(
      'connections_per_client',
      'max-connections-per-client',
      'the number of connections of one client',
      'items',
      config.maxConnectionsPerClient,
    ),
    connections: new Limit(
      {
        name: 'gateway_connections',
        setting: connectionsKey ?? 'limits.max-total-connections',
        subject: 'the number of client connections',
        unit: 'items',
        defaultValue: 10_000,
      },
      ofConnections,
    ),
    inFlightRequests: limit(
      'in_flight_requests',
      'max-in-flight-requests',
      'the number of requests in progress',
      'items',
      config.maxInFlightRequests,
    ),
  };
}
