import type { GatewayConfig } from '../../config/model.ts';

/** What stands where a secret would. */
const HIDDEN = '[hidden]';

/** Settings that are secret themselves, or say where one is; `config` is what an agent is handed, of which nothing is known. */
const secretSettings: ReadonlySet<string> = new Set(['keyFile', 'clientKeyFile', 'config']);

/** `user:password@` of a URL. */
const credentials = /([a-z][a-z0-9+.-]*:\/\/)[^/?#\s]*@/gi;
/** Of addresses: tokens travel there as well. */
const addressQuery = /([a-z][a-z0-9+.-]*:\/\/[^?#\s]*\?)[^#\s]+/gi;

/**
 * A configuration as people may see it: plain data with names in snake case, without places in files. What could be a secret is not in it:
 * values of headers and parameters, what agents are handed, files of private keys, credentials and queries in addresses.
 */
export function configView(config: GatewayConfig): unknown {
  const { system, listeners, routes, upstreams, agents, filters, limits, rateLimits } = config;
  // There is no such thing as `waf` here; who reads it expects the member.
  const shown = { server: system, listeners, routes, upstreams, agents, filters, waf: null, limits, rateLimits };
  return viewOf(shown);
}

function viewOf(value: unknown): unknown {
  if (typeof value === 'string') {
    return value.replace(credentials, `$1${HIDDEN}@`).replace(addressQuery, `$1${HIDDEN}`);
  }
  if (value instanceof Map) return [...value.values()].map(viewOf);
  if (Array.isArray(value)) return value.map(viewOf);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name, held]) => name !== 'position' && held !== undefined);
  // A name with a value is a header, or a parameter of a query: either is where credentials travel.
  const isField = 'name' in value && 'value' in value;
  return Object.fromEntries(
    members.map(([name, held]) => {
      const secret = secretSettings.has(name) || (isField && name === 'value');
      return [snakeCase(name), secret ? HIDDEN : viewOf(held)];
    }),
  );
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
