import { documented } from '../server/route-schema.ts';

// What the OpenAPI document says of the Jaeger routes.

const text = { type: 'string' } as const;
const microseconds = { type: 'integer', description: 'Microseconds since 1970.' } as const;
const raw = { type: 'boolean', description: 'Skip the adjusters and answer what was stored.' } as const;
const strict = {
  type: 'boolean',
  description: 'Leave out the trace’s duration and startTime, which Jaeger does not have.',
} as const;

const keyValue = {
  type: 'object',
  properties: { key: text, type: { enum: ['string', 'bool', 'int64', 'float64', 'binary'] }, value: {} },
} as const;

const span = {
  type: 'object',
  properties: {
    traceID: text,
    spanID: text,
    flags: { type: 'integer' },
    operationName: text,
    references: {
      type: 'array',
      items: {
        type: 'object',
        properties: { refType: { enum: ['CHILD_OF', 'FOLLOWS_FROM'] }, traceID: text, spanID: text },
      },
    },
    startTime: microseconds,
    duration: { type: 'integer', description: 'Microseconds.' },
    tags: { type: 'array', items: keyValue },
    logs: {
      type: 'array',
      items: { type: 'object', properties: { timestamp: microseconds, fields: { type: 'array', items: keyValue } } },
    },
    processID: text,
    warnings: { type: ['array', 'null'], items: text },
  },
} as const;

const trace = {
  type: 'object',
  properties: {
    traceID: text,
    spans: { type: 'array', items: span },
    processes: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        properties: { serviceName: text, tags: { type: 'array', items: keyValue } },
      },
    },
    warnings: { type: ['array', 'null'], items: text },
    duration: { type: 'integer', description: 'Microseconds; Clew’s addition.' },
    startTime: microseconds,
  },
} as const;

function envelope(data: object) {
  const error = { type: 'object', properties: { code: { type: 'integer' }, msg: text, traceID: text } };
  const schema = {
    type: 'object',
    properties: {
      data,
      total: { type: 'integer' },
      limit: { type: 'integer' },
      offset: { type: 'integer' },
      errors: { type: ['array', 'null'], items: error },
    },
  };
  return { '200': { description: 'Jaeger’s envelope', content: { 'application/json': { schema } } } };
}

const list = (items: object) => ({ type: 'array', items });
const tags = ['jaeger'] as const;

/** Documentation by route. */
export const jaegerDocuments = {
  services: documented({
    tags,
    operationId: 'jaegerServices',
    summary: 'Names of all services',
    response: envelope(list(text)),
  }),
  serviceOperations: documented({
    tags,
    operationId: 'jaegerServiceOperations',
    summary: 'Operation names of one service',
    params: { type: 'object', properties: { service: text } },
    response: envelope(list(text)),
  }),
  operations: documented({
    tags,
    operationId: 'jaegerOperations',
    summary: 'Operations of one service with their span kinds',
    querystring: {
      type: 'object',
      required: ['service'],
      properties: { service: text, spanKind: { enum: ['server', 'client', 'producer', 'consumer', 'internal'] } },
    },
    response: envelope(list({ type: 'object', properties: { name: text, spanKind: text } })),
  }),
  search: documented({
    tags,
    operationId: 'jaegerSearch',
    summary: 'Search traces, or load several by id',
    querystring: {
      type: 'object',
      properties: {
        service: text,
        operation: text,
        start: microseconds,
        end: microseconds,
        tag: { type: 'array', items: text, description: 'key:value' },
        tags: { type: 'string', description: 'A JSON object of strings.' },
        minDuration: { type: 'string', description: 'Such as 1.5s or 200ms.' },
        maxDuration: text,
        limit: { type: 'integer', default: 100 },
        traceID: { type: 'array', items: text },
        raw,
        strict,
        prettyPrint: { type: 'boolean' },
      },
    },
    response: envelope(list(trace)),
  }),
  trace: documented({
    tags,
    operationId: 'jaegerTrace',
    summary: 'One trace',
    params: {
      type: 'object',
      properties: { traceId: { type: 'string', description: '1 to 32 hex digits, or base64 of the bytes.' } },
    },
    querystring: {
      type: 'object',
      properties: { start: microseconds, end: microseconds, raw, strict, prettyPrint: { type: 'boolean' } },
    },
    response: envelope(list(trace)),
  }),
  dependencies: documented({
    tags,
    operationId: 'jaegerDependencies',
    summary: 'Calls between services',
    querystring: {
      type: 'object',
      properties: {
        endTs: { type: 'integer', description: 'Milliseconds since 1970.' },
        lookback: { type: 'integer', description: 'Milliseconds.' },
        service: text,
      },
    },
    response: envelope(
      list({ type: 'object', properties: { parent: text, child: text, callCount: { type: 'integer' } } }),
    ),
  }),
  transform: documented({
    tags,
    operationId: 'jaegerTransform',
    summary: 'Show posted OTLP JSON as traces, without storing it',
    response: envelope(list(trace)),
  }),
} as const;
