import { formatExplore, parseExplore } from './explore.ts';
import type { ExploreState } from './explore.ts';
import { translateOldLink } from './old-links.ts';
import { formatQuery, splitAddress, unknownParams } from './params.ts';
import type { UnknownParams } from './params.ts';
import { formatTrace, parseTrace } from './trace.ts';
import type { TraceState } from './trace.ts';

/** Pages whose state is their path alone, for now. */
export type SimplePage =
  | 'home'
  | 'compare'
  | 'services'
  | 'map'
  | 'errors'
  | 'live'
  | 'saved'
  | 'sql'
  | 'status'
  | 'open'
  | 'welcome'
  | 'settings';

/** What an address of the page means. */
export type PageState =
  | { readonly page: 'explore'; readonly state: ExploreState }
  | { readonly page: 'trace'; readonly state: TraceState }
  | { readonly page: SimplePage; readonly rest: readonly string[]; readonly unknown: UnknownParams }
  | { readonly page: 'unknown'; readonly path: string; readonly unknown: UnknownParams };

const simplePages: readonly SimplePage[] = [
  'compare',
  'services',
  'map',
  'errors',
  'live',
  'saved',
  'sql',
  'status',
  'open',
  'welcome',
  'settings',
];

/** Reads an address (path and query string, without the server's base path), old links included. */
export function parsePage(address: string): PageState {
  const translated = translateOldLink(address) ?? address;
  const [path, params] = splitAddress(translated);
  const [head = '', ...rest] = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodePart);
  if (head === 'explore') return { page: 'explore', state: parseExplore(params) };
  if (head === 'trace' && rest.length === 1) return { page: 'trace', state: parseTrace(rest[0] ?? '', params) };
  const unknown = unknownParams(params, []);
  if (head === '') return { page: 'home', rest: [], unknown };
  const simple = simplePages.find((name) => name === head);
  return simple === undefined ? { page: 'unknown', path, unknown } : { page: simple, rest, unknown };
}

/** The canonical address of a page; `parsePage` gives the same state back. */
export function formatPage(page: PageState): string {
  if (page.page === 'explore') return formatExplore(page.state);
  if (page.page === 'trace') return formatTrace(page.state);
  const query = formatQuery([], page.unknown);
  if (page.page === 'unknown') return page.path + query;
  if (page.page === 'home') return `/${query}`;
  return `/${[page.page, ...page.rest.map(encodeURIComponent)].join('/')}${query}`;
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (caught) {
    // A stray % in a hand-written address: take it literally, the page then says it knows no such thing.
    if (caught instanceof URIError) return part;
    throw caught;
  }
}
