import { documented } from '../server/route-schema.ts';

// What the OpenAPI document says of the Clew routes. The TypeScript types of every answer are in `packages/api`.

const text = { type: 'string' } as const;
const integer = { type: 'integer' } as const;
const tags = ['clew'] as const;

const time = {
  type: 'string',
  description: 'now, now-1h, epoch milliseconds, nanoseconds (19 digits) or ISO 8601.',
} as const;
const range = { from: { ...time, default: 'now-1h' }, to: { ...time, default: 'now' } };
const filter = {
  type: 'string',
  description:
    'Conditions on one span, as one spanset filter of TraceQL: { resource.service.name = "cart" && duration >= 1s }',
} as const;
const facts = {
  type: 'object',
  properties: {
    limit: integer,
    returned: integer,
    more: { type: 'boolean' },
    stopReason: { enum: ['complete', 'limit', 'scan_limit', 'time_limit', 'memory_limit'] },
    warnings: { type: 'array', items: { type: 'object' } },
  },
};

function answer(description: string, properties: object) {
  const error = {
    description: 'What went wrong',
    content: {
      'application/json': {
        schema: { type: 'object', properties: { code: text, message: text, hint: text, retryAfterMs: integer } },
      },
    },
  };
  return {
    '200': { description, content: { 'application/json': { schema: { type: 'object', properties } } } },
    '4XX': error,
    '5XX': error,
  };
}

const catalogQuery = {
  type: 'object',
  properties: { ...range, limit: { ...integer, default: 1000 }, prefix: text, service: text },
};
const traceParams = {
  type: 'object',
  properties: {
    traceId: {
      type: 'string',
      description:
        '1 to 32 hexadecimal digits, or a header that holds a trace id: traceparent, b3, uber-trace-id, X-Amzn-Trace-Id.',
    },
  },
};
const raw = {
  type: 'boolean',
  description: 'Show attributes, scopes and status where and as they were sent.',
} as const;
const list = { type: 'array', items: { type: 'object' } };
const demoAnswer = answer('The generator’s state', {
  mode: { enum: ['off', 'steady', 'burst'] },
  tracesSent: integer,
  traces: list,
});
const deleted = answer('What was removed', { deletedTraces: integer, pending: { type: 'boolean' } });

/** Documentation by route. */
export const clewDocuments = {
  status: documented({
    tags,
    operationId: 'status',
    summary: 'What is running, where to send, whether anything has arrived',
    response: answer('The status', {
      version: text,
      receivers: list,
      storage: { type: 'object' },
      ingest: { type: 'object' },
      limits: { type: 'object' },
    }),
  }),
  live: documented({
    tags,
    operationId: 'live',
    summary: 'Ingest counts as server-sent events',
    response: {
      '200': { description: 'A stream of `ingest` events', content: { 'text/event-stream': { schema: text } } },
    },
  }),
  services: documented({
    tags,
    operationId: 'services',
    summary: 'Services with spans in the range',
    querystring: catalogQuery,
    response: answer('Services', { services: list, facts }),
  }),
  operations: documented({
    tags,
    operationId: 'operations',
    summary: 'Span names of a service',
    querystring: catalogQuery,
    response: answer('Operations', { operations: list, facts }),
  }),
  keys: documented({
    tags,
    operationId: 'keys',
    summary: 'Attribute keys',
    querystring: catalogQuery,
    response: answer('Keys', { keys: list, facts }),
  }),
  values: documented({
    tags,
    operationId: 'values',
    summary: 'Values of one attribute',
    querystring: { type: 'object', required: ['key'], properties: { ...catalogQuery.properties, key: text } },
    response: answer('Values', { values: list, facts }),
  }),
  search: documented({
    tags,
    operationId: 'search',
    summary: 'Traces with a span that satisfies every condition',
    querystring: {
      type: 'object',
      properties: {
        ...range,
        q: filter,
        order: { enum: ['newest', 'oldest', 'longest', 'most_spans', 'most_errors'] },
        limit: { ...integer, default: 20 },
        cur: { type: 'string', description: 'The cursor of the page before.' },
      },
    },
    response: answer('Traces', { query: text, traces: list, cursor: text, facts, scan: { type: 'object' } }),
  }),
  explain: documented({
    tags,
    operationId: 'explainSearch',
    summary: 'How many spans would match without each condition',
    querystring: { type: 'object', properties: { ...range, q: filter } },
    response: answer('Counts', { spansInRange: integer, withoutTerm: list }),
  }),
  series: documented({
    tags,
    operationId: 'series',
    summary: 'Matching spans over time',
    querystring: { type: 'object', properties: { ...range, q: filter, buckets: { ...integer, default: 120 } } },
    response: answer('Counts per bucket', {
      stepNano: text,
      counts: { type: 'array', items: integer },
      errors: { type: 'array', items: integer },
    }),
  }),
  trace: documented({
    tags,
    operationId: 'trace',
    summary: 'The shape of a trace, as columns',
    params: traceParams,
    querystring: { type: 'object', properties: { raw } },
    response: answer('A skeleton', { traceId: text, etag: text, spanCount: integer, columns: { type: 'object' } }),
  }),
  spans: documented({
    tags,
    operationId: 'spans',
    summary: 'Everything known of some spans of a trace',
    params: traceParams,
    querystring: {
      type: 'object',
      required: ['ids'],
      properties: { ids: { type: 'string', description: 'Span ids separated by commas, up to 200.' }, raw },
    },
    response: answer('Details', {
      spans: list,
      resources: list,
      scopes: list,
      notFound: { type: 'array', items: text },
    }),
  }),
  find: documented({
    tags,
    operationId: 'findInTrace',
    summary: 'Rows of a trace that contain a text',
    params: traceParams,
    querystring: { type: 'object', required: ['text'], properties: { text } },
    response: answer('Rows', { etag: text, rows: { type: 'array', items: integer }, facts }),
  }),
  deleteTrace: documented({
    tags,
    operationId: 'deleteTrace',
    summary: 'Remove a trace',
    params: traceParams,
    response: deleted,
  }),
  demo: documented({ tags, operationId: 'demo', summary: 'The demo generator', response: demoAnswer }),
  startDemo: documented({
    tags,
    operationId: 'startDemo',
    summary: 'Send demo traces',
    body: { type: 'object', required: ['mode'], properties: { mode: { enum: ['steady', 'burst'] }, traces: integer } },
    response: demoAnswer,
  }),
  deleteDemo: documented({
    tags,
    operationId: 'deleteDemo',
    summary: 'End the demo and remove its traces',
    response: deleted,
  }),
} as const;
