// Who may import whom. The one place this is written down; ARCHITECTURE.md explains it and
// `scripts/check-structure.mjs` enforces it. Imports only ever point downwards in this list.
//
// `platform` says what a package's own source may touch: 'neutral' code runs in a browser and in
// Node, 'node' code may import node: modules, 'browser' code may use the DOM. A subfolder can be
// given a platform of its own (`base/node` holds what needs Node).

/** @type {Record<string, { imports: string[], platform: 'neutral' | 'node' | 'browser', folders?: Record<string, 'neutral' | 'node'> }>} */
export const packageTable = {
  base: { imports: [], platform: 'neutral', folders: { node: 'node' } },
  model: { imports: ['base'], platform: 'neutral' },
  api: { imports: ['base', 'model'], platform: 'neutral' },
  traceql: { imports: ['base', 'model'], platform: 'neutral' },
  analysis: { imports: ['base', 'model'], platform: 'neutral' },
  wire: { imports: ['base', 'model'], platform: 'neutral' },
  net: { imports: ['base', 'model', 'wire'], platform: 'node' },
  pipeline: { imports: ['base', 'model'], platform: 'node' },
  store: { imports: ['base', 'model', 'traceql', 'pipeline'], platform: 'node' },
  collector: { imports: ['base', 'model', 'wire', 'net', 'pipeline', 'traceql', 'analysis'], platform: 'node' },
  query: {
    imports: ['base', 'model', 'wire', 'net', 'pipeline', 'store', 'traceql', 'analysis', 'api'],
    platform: 'node',
  },
  web: { imports: ['base', 'model', 'analysis', 'traceql', 'api'], platform: 'browser' },
  gateway: { imports: ['base', 'model', 'wire', 'net'], platform: 'node' },
  node: { imports: ['base', 'model', 'wire', 'net'], platform: 'node' },
  clew: {
    imports: [
      'base',
      'model',
      'api',
      'traceql',
      'analysis',
      'wire',
      'net',
      'pipeline',
      'store',
      'collector',
      'query',
      'web',
      'gateway',
      'node',
    ],
    platform: 'node',
  },
  testkit: {
    imports: [
      'base',
      'model',
      'api',
      'traceql',
      'analysis',
      'wire',
      'net',
      'pipeline',
      'store',
      'collector',
      'query',
      'gateway',
      'node',
    ],
    platform: 'node',
  },
};

/** Packages whose code only tests and benchmarks may import. */
export const testOnlyPackages = ['testkit'];
