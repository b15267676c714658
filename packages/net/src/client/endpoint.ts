import { NetError } from '../errors.ts';

/** Where a gRPC client connects. */
export type GrpcTarget =
  | {
      readonly kind: 'tcp';
      readonly host: string;
      readonly port: number;
      readonly scheme: 'http' | 'https' | undefined;
    }
  | { readonly kind: 'unix'; readonly path: string };

/**
 * Reads a gRPC endpoint: `host:port`, `http://host:port` (plaintext), `https://host:port` (TLS), `dns:///host:port`,
 * `unix:///path`. Fails with `invalid_setting`.
 */
export function parseGrpcTarget(endpoint: string): GrpcTarget {
  if (endpoint === '') throw new NetError('invalid_setting', 'requires a non-empty "endpoint"');
  const unix = /^unix:(?:\/\/)?(.+)$/.exec(endpoint)?.[1];
  if (unix !== undefined) return { kind: 'unix', path: unix };
  const scheme = /^(https?):\/\//.exec(endpoint)?.[1] as 'http' | 'https' | undefined;
  const rest = endpoint.replace(/^(?:https?:\/\/|dns:\/\/[^/]*\/)/, '').replace(/\/$/, '');
  const match = /^(?:\[([^\]]+)\]|([^:/[\]]+))(?::([^/]*))?$/.exec(rest);
  const host = match?.[1] ?? match?.[2];
  if (!match || host === undefined) {
    throw new NetError('invalid_setting', `invalid endpoint ${JSON.stringify(endpoint)}: host:port is expected`);
  }
  const portText = match[3] ?? (scheme === 'https' ? '443' : scheme === 'http' ? '80' : '');
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) throw new NetError('invalid_setting', `invalid port ${JSON.stringify(portText)}`);
  return { kind: 'tcp', host, port, scheme };
}
