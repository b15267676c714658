import { formatExpansion, parseExpansion } from './expansion.ts';
import type { Expansion } from './expansion.ts';
import { parseSpanId, readTraceId } from './ids.ts';
import { countParam, formatQuery, listParam, unknownParams, wordParam } from './params.ts';
import type { UnknownParams } from './params.ts';

/** How a trace is shown. Views that a version does not have fall back to the waterfall. */
export type TraceView = 'waterfall' | 'flame' | 'work' | 'tree' | 'graph' | 'table' | 'logs' | 'json';

/** The parts of the side panel. */
export type TraceTab = 'findings' | 'attributes' | 'events' | 'logs' | 'links' | 'peers';

/** Everything on the Trace page that a colleague opening the link should see too. */
export interface TraceState {
  /** 32 lower-case hex digits; undefined when the path holds something else. */
  readonly traceId: string | undefined;
  /** When the trace took place, in Unix seconds: spares the store a search through everything. */
  readonly hint?: { readonly fromUnixSec: number; readonly toUnixSec: number };
  readonly view: TraceView;
  readonly span?: string;
  readonly pins: readonly string[];
  /** The visible part as offsets from the start of the trace. */
  readonly zoom?: { readonly startNano: number; readonly endNano: number };
  readonly find: string;
  readonly findMode: 'dim' | 'hide';
  readonly hiddenServices: readonly string[];
  /** The span shown as if it were the root. */
  readonly root?: string;
  readonly criticalPath: boolean;
  /** Undefined: the page decides by the size of the trace. */
  readonly expansion?: Expansion;
  readonly tab: TraceTab;
  readonly unknown: UnknownParams;
}

const views: readonly TraceView[] = ['waterfall', 'flame', 'work', 'tree', 'graph', 'table', 'logs', 'json'];
const tabs: readonly TraceTab[] = ['findings', 'attributes', 'events', 'logs', 'links', 'peers'];
const known = ['ts', 'te', 'view', 'span', 'pins', 'z', 'f', 'fm', 'hs', 'root', 'cp', 'x', 'tab'];
const maxUnixSec = 9_999_999_999;

/** Reads `/trace/:traceId` and its query string. */
export function parseTrace(pathId: string, params: URLSearchParams): TraceState {
  const from = countParam(params, 'ts', 0, maxUnixSec);
  const to = countParam(params, 'te', 0, maxUnixSec);
  const zoom = parseZoom(params.get('z') ?? '');
  const expansion = parseExpansion(params.get('x') ?? '');
  return {
    traceId: readTraceId(pathId),
    ...(from !== undefined && to !== undefined && from <= to ? { hint: { fromUnixSec: from, toUnixSec: to } } : {}),
    view: wordParam(params, 'view', views, 'waterfall'),
    ...optionalId('span', params.get('span')),
    pins: listParam(params, 'pins').flatMap((id) => parseSpanId(id) ?? []),
    ...(zoom === undefined ? {} : { zoom }),
    find: params.get('f') ?? '',
    findMode: wordParam(params, 'fm', ['dim', 'hide'], 'dim'),
    hiddenServices: listParam(params, 'hs').map(decodeListEntry),
    ...optionalId('root', params.get('root')),
    criticalPath: params.get('cp') !== '0',
    ...(expansion === undefined ? {} : { expansion }),
    tab: wordParam(params, 'tab', tabs, 'attributes'),
    unknown: unknownParams(params, known),
  };
}

/** The canonical link of a trace screen, starting with `/trace/`. */
export function formatTrace(state: TraceState): string {
  const entries: (readonly [string, string | undefined])[] = [
    ['ts', state.hint === undefined ? undefined : String(state.hint.fromUnixSec)],
    ['te', state.hint === undefined ? undefined : String(state.hint.toUnixSec)],
    ['view', state.view === 'waterfall' ? undefined : state.view],
    ['span', state.span],
    ['pins', joinList(state.pins)],
    ['z', state.zoom === undefined ? undefined : `${state.zoom.startNano},${state.zoom.endNano}`],
    ['f', state.find === '' ? undefined : state.find],
    ['fm', state.findMode === 'dim' ? undefined : state.findMode],
    ['hs', joinList(state.hiddenServices.map(encodeListEntry))],
    ['root', state.root],
    ['cp', state.criticalPath ? undefined : '0'],
    ['x', state.expansion === undefined ? undefined : formatExpansion(state.expansion)],
    ['tab', state.tab === 'attributes' ? undefined : state.tab],
  ];
  return `/trace/${state.traceId ?? ''}${formatQuery(entries, state.unknown)}`;
}

/** A trace link with nothing but the id and, when known, the time hint (a second wider on both sides). */
export function traceLink(
  traceId: string,
  time?: { readonly startUnixNano: bigint; readonly durationNano: bigint },
  span?: string,
): string {
  const hint =
    time === undefined
      ? undefined
      : {
          fromUnixSec: Math.max(0, Number(time.startUnixNano / 1_000_000_000n) - 1),
          toUnixSec: Number((time.startUnixNano + time.durationNano) / 1_000_000_000n) + 2,
        };
  const usable = hint !== undefined && hint.toUnixSec <= maxUnixSec;
  return formatTrace({
    traceId,
    ...(usable ? { hint } : {}),
    view: 'waterfall',
    ...(span === undefined ? {} : { span }),
    pins: [],
    find: '',
    findMode: 'dim',
    hiddenServices: [],
    criticalPath: true,
    tab: 'attributes',
    unknown: [],
  });
}

function parseZoom(text: string): { readonly startNano: number; readonly endNano: number } | undefined {
  const match = /^(\d{1,16}),(\d{1,16})$/.exec(text);
  if (match === null) return undefined;
  const [startNano, endNano] = [Number(match[1]), Number(match[2])];
  return startNano < endNano ? { startNano, endNano } : undefined;
}

function optionalId<K extends string>(name: K, text: string | null): { readonly [P in K]?: string } {
  const id = text === null ? undefined : parseSpanId(text);
  return id === undefined ? {} : ({ [name]: id } as { readonly [P in K]?: string });
}

function joinList(entries: readonly string[]): string | undefined {
  return entries.length === 0 ? undefined : entries.join(',');
}

/** Service names may hold commas; within a list they are written as `%2C`. */
function encodeListEntry(entry: string): string {
  return entry.replace(/[%,]/g, (char) => encodeURIComponent(char));
}

function decodeListEntry(entry: string): string {
  return entry.replace(/%(25|2C)/g, (code) => decodeURIComponent(code));
}
