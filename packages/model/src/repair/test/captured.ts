import { readFileSync } from 'node:fs';
import { fromPlain, plainResource, plainSpan, type PlainSpan } from '../../plain.ts';
import { traceViewOf, type TraceView } from '../../trace-view.ts';
import type { AttributeValue, KeyValue } from '../../values/value.ts';

interface Tag {
  readonly key: string;
  readonly vType: string;
  readonly value: AttributeValue;
}

interface Capture {
  readonly decoded: {
    readonly batch: {
      readonly process: { readonly serviceName: string; readonly tags: readonly Tag[] };
      readonly spans: readonly {
        readonly spanId: string;
        readonly parentSpanId: string;
        readonly tags: readonly Tag[];
      }[];
    };
  };
}

/** What a Jaeger exporter sent, as a trace whose spans keep every tag. For tests. */
export function captureView(name: string): TraceView {
  const text = readFileSync(new URL(`../testdata/${name}.json`, import.meta.url), 'utf8');
  const { process, spans } = (JSON.parse(text) as Capture).decoded.batch;
  const resource = plainResource([{ key: 'service.name', value: process.serviceName }, ...process.tags.map(keyValue)]);
  return traceViewOf(
    fromPlain(
      spans.map(({ spanId, parentSpanId, tags }): PlainSpan =>
        plainSpan({
          traceId: 'a',
          spanId,
          parentSpanId: parentSpanId === '0' ? '' : parentSpanId,
          resource,
          attributes: tags.map(keyValue),
        }),
      ),
    ),
  );
}

function keyValue({ key, vType, value }: Tag): KeyValue {
  return { key, value: vType === 'LONG' ? BigInt(value as string) : value };
}
