import { fromPlain, plainResource, plainSpan } from '@clew/model';
import type { AttributeValue, KeyValue, PlainResource, PlainScope, PlainSpan, SpanBatch } from '@clew/model';
import type { DemoValue } from './call.ts';
import type { DemoSpan } from './lay-out.ts';

const kinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const;

/** The resource attribute that marks demo data, so that it can be deleted together. */
export const demoAttribute = 'clew.demo';

const languages: Readonly<Record<string, string>> = {
  'api-gateway': 'go',
  'auth-service': 'rust',
  'user-service': 'java',
  'order-service': 'nodejs',
  'payment-service': 'dotnet',
  'notification-service': 'python',
  'catalog-service': 'ruby',
};

/** One object, so that a batch holds one scope per resource. */
const demoScope: PlainScope = {
  name: 'clew-demo',
  version: '1.0.0',
  attributes: [],
  droppedAttributes: 0,
  schemaUrl: '',
};

/** Resources by service; made once, so that a batch of many traces shares them. */
const resources = new Map<string, PlainResource>();

/** One demo trace as a batch. `startUnixNano` is when its root starts. */
export function demoBatch(
  spans: readonly DemoSpan[],
  traceId: Uint8Array,
  startUnixNano: bigint,
  batch?: SpanBatch,
): SpanBatch {
  return fromPlain(
    spans.map((span) => toPlainSpan(span, traceId, startUnixNano)),
    batch,
  );
}

function toPlainSpan(span: DemoSpan, traceId: Uint8Array, startUnixNano: bigint): PlainSpan {
  const at = (nano: number) => startUnixNano + BigInt(nano);
  const base = plainSpan({
    traceId: hex(traceId),
    spanId: hex(span.spanId),
    ...(span.parentId.some((byte) => byte !== 0) ? { parentSpanId: hex(span.parentId) } : {}),
    name: span.name,
    kind: kinds[span.kind],
    startUnixNano: at(span.startNano),
    endUnixNano: at(span.endNano),
    flags: 0x101,
    attributes: attributes(span.attributes),
    resource: resourceOf(span.service),
    ...(span.error === undefined ? {} : { statusCode: 2, statusMessage: span.error }),
  });
  return {
    ...base,
    scope: demoScope,
    events: span.events.map((event) => ({
      timeUnixNano: at(event.atNano) as PlainSpan['startUnixNano'],
      name: event.name,
      attributes: attributes(event.attributes),
      droppedAttributes: 0,
    })),
    links:
      span.linkTo === undefined
        ? []
        : [
            {
              traceId: base.traceId,
              spanId: base.parentSpanId,
              traceState: '',
              flags: 0x101,
              attributes: [],
              droppedAttributes: 0,
            },
          ],
  };
}

function resourceOf(service: string): PlainResource {
  const known = resources.get(service);
  if (known !== undefined) return known;
  const made = plainResource({
    'service.name': service,
    'service.version': '1.4.2',
    'service.instance.id': `${service}-7c9d`,
    'deployment.environment.name': 'demo',
    'host.name': `node-${(service.length % 3) + 1}`,
    'telemetry.sdk.language': languages[service] ?? 'go',
    'telemetry.sdk.name': 'opentelemetry',
    [demoAttribute]: true,
  });
  resources.set(service, made);
  return made;
}

function attributes(values: Readonly<Record<string, DemoValue>>): KeyValue[] {
  return Object.entries(values).map(([key, value]) => ({ key, value: attributeValue(value) }));
}

/** Whole numbers are integers, as an SDK would send them. */
function attributeValue(value: DemoValue): AttributeValue {
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : value;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
