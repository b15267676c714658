import { apiPrefix } from './common.ts';

/** Paths of the Clew API, without the server's base path and without parameters. */
export const apiPaths = Object.freeze({
  status: `${apiPrefix}/status`,
  live: `${apiPrefix}/live`,
  services: `${apiPrefix}/services`,
  operations: `${apiPrefix}/operations`,
  keys: `${apiPrefix}/keys`,
  values: `${apiPrefix}/values`,
  search: `${apiPrefix}/search`,
  searchExplain: `${apiPrefix}/search/explain`,
  series: `${apiPrefix}/series`,
  demo: `${apiPrefix}/demo`,
  trace: (traceId: string): string => `${apiPrefix}/traces/${encodeURIComponent(traceId)}`,
  traceSpans: (traceId: string): string => `${apiPrefix}/traces/${encodeURIComponent(traceId)}/spans`,
  traceFind: (traceId: string): string => `${apiPrefix}/traces/${encodeURIComponent(traceId)}/find`,
});
