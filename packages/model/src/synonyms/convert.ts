import { valueText } from '../values/json.ts';
import { isArray, type AttributeValue } from '../values/value.ts';
import { dbSystems, grpcStatuses, httpFlavors, netTransports, rpcSystems, type Conversion } from './table.ts';

/**
 * The value under the current name of what is `value` under an older one; `undefined` when there is none (a URL without a
 * query has no query part).
 */
export function toCurrent(convert: Conversion | undefined, value: AttributeValue): AttributeValue | undefined {
  switch (convert) {
    case undefined:
    case 'first_part':
      return value;
    case 'text':
      return valueText(value);
    case 'before_query':
      return pathOf(value);
    case 'after_query':
      return queryOf(value);
    case 'host':
      return hostOf(value);
    case 'list':
      return typeof value === 'string' ? value.split(',').map((item) => item.trim()) : value;
    case 'ipv4':
      return typeof value === 'bigint' ? dottedAddress(value) : value;
    case 'jaeger_version':
      return typeof value === 'string' ? `${JAEGER_PREFIX}${value}` : value;
    default:
      return maps[convert].forward.get(valueText(value)) ?? value;
  }
}

/**
 * The values under an older name that {@link toCurrent} turns into `value`, as a search on the current name must look for
 * them; empty when they cannot be listed (any host may carry any port).
 */
export function toOlder(convert: Conversion | undefined, value: AttributeValue): readonly AttributeValue[] {
  switch (convert) {
    case undefined:
      return [value];
    case 'text':
      return typeof value === 'string' ? [value, ...integerOf(value)] : [value];
    case 'first_part':
      return typeof value === 'string' ? [value.split('|')[0]!] : [value];
    case 'list':
      return value !== null && isArray(value) ? [value.map(valueText).join(',')] : [value];
    case 'before_query':
    case 'after_query':
    case 'host':
      return [];
    case 'ipv4':
      return [value, ...addressWords(value)];
    case 'jaeger_version':
      return typeof value === 'string' && value.startsWith(JAEGER_PREFIX) ? [value.slice(JAEGER_PREFIX.length)] : [];
    case 'grpc_status':
      return backward(convert, value).map((text) =>
        typeof text === 'string' && /^\d+$/.test(text) ? BigInt(text) : text,
      );
    default:
      return backward(convert, value);
  }
}

/** Whether {@link toOlder} can list all older values for this conversion. */
export function isReversible(convert: Conversion | undefined): boolean {
  return convert !== 'before_query' && convert !== 'after_query' && convert !== 'host';
}

/** Whether a conversion loses nothing, so that equal values under one name are equal under the other. */
export function isLossless(convert: Conversion | undefined): boolean {
  return isReversible(convert) && convert !== 'first_part' && convert !== 'list';
}

/** What Jaeger's translation to OpenTelemetry puts before the version of its clients. */
const JAEGER_PREFIX = 'Jaeger-';

type Mapped = Exclude<
  Conversion,
  'text' | 'first_part' | 'before_query' | 'after_query' | 'host' | 'list' | 'ipv4' | 'jaeger_version'
>;

interface ValueMap {
  readonly forward: ReadonlyMap<string, string>;
  readonly backward: ReadonlyMap<string, readonly string[]>;
}

const maps: Readonly<Record<Mapped, ValueMap>> = {
  db_system: valueMap(dbSystems),
  rpc_system: valueMap(rpcSystems),
  grpc_status: valueMap(grpcStatuses),
  http_flavor: valueMap(httpFlavors),
  net_transport: valueMap(netTransports),
};

function valueMap(forward: Readonly<Record<string, string>>): ValueMap {
  const inverse = new Map<string, string[]>();
  for (const [older, current] of Object.entries(forward))
    inverse.set(current, [...(inverse.get(current) ?? []), older]);
  return { forward: new Map(Object.entries(forward)), backward: inverse };
}

/** The older values of a mapped one; a value the map does not speak of is the same under both names. */
function backward(convert: Mapped, value: AttributeValue): readonly AttributeValue[] {
  const text = valueText(value);
  const olders = maps[convert].backward.get(text) ?? [];
  return maps[convert].forward.has(text) || olders.includes(text) ? olders : [value, ...olders];
}

function pathOf(value: AttributeValue): AttributeValue | undefined {
  if (typeof value !== 'string' || !value.startsWith('/')) return undefined;
  const mark = value.indexOf('?');
  return mark < 0 ? value : value.slice(0, mark);
}

function queryOf(value: AttributeValue): AttributeValue | undefined {
  if (typeof value !== 'string' || !value.startsWith('/')) return undefined;
  const mark = value.indexOf('?');
  return mark < 0 ? undefined : value.slice(mark + 1);
}

/** The host of a URL or of `host:port`; brackets of an IPv6 address are dropped, a bare one is left whole. */
function hostOf(value: AttributeValue): AttributeValue | undefined {
  if (typeof value !== 'string') return undefined;
  const authority = /^(?:[a-z][a-z0-9+.-]*:\/\/)?(?:[^/?#@]*@)?([^/?#]*)/i.exec(value)?.[1] ?? '';
  const bracketed = /^\[([^\]]*)\]/.exec(authority)?.[1];
  const host =
    bracketed ?? (authority.split(':').length === 2 ? authority.slice(0, authority.indexOf(':')) : authority);
  return host === '' ? undefined : host;
}

/** The dotted form of an address that was recorded as a 32-bit number, signed or not. */
function dottedAddress(word: bigint): string {
  const bits = Number(BigInt.asUintN(32, word));
  return [24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.');
}

/** The numbers a dotted address may have been recorded as. */
function addressWords(value: AttributeValue): readonly bigint[] {
  const parts =
    typeof value === 'string' ? /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(value)?.slice(1) : undefined;
  if (parts === undefined || parts.some((part) => Number(part) > 255)) return [];
  const word = parts.reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
  const signed = BigInt.asIntN(32, word);
  return signed === word ? [word] : [word, signed];
}

function integerOf(text: string): readonly bigint[] {
  return /^-?\d{1,18}$/.test(text) ? [BigInt(text)] : [];
}
