import type { AnyField, AnyThrift } from '../../thrift/test/any-value.ts';
import { ThriftType } from '../../thrift/types.ts';

/** jaeger.thrift structs in the form the captures are described in: ids as hexadecimal text, 64-bit integers as decimal text. */
export interface DescribedTag {
  readonly key: string;
  readonly vType: string;
  readonly value: string | number | boolean;
}

/** A `SpanRef`. */
export interface DescribedReference {
  readonly refType: string;
  readonly traceIdHigh: string;
  readonly traceIdLow: string;
  readonly spanId: string;
}

/** A `Span`. */
export interface DescribedSpan {
  readonly traceIdHigh: string;
  readonly traceIdLow: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly operationName: string;
  readonly references: readonly DescribedReference[];
  readonly flags: number;
  readonly startTimeUs: string;
  readonly durationUs: string;
  readonly tags: readonly DescribedTag[];
  readonly logs: readonly { readonly timestampUs: string; readonly fields: readonly DescribedTag[] }[];
}

/** A `Batch`. */
export interface DescribedBatch {
  readonly process: { readonly serviceName: string; readonly tags: readonly DescribedTag[] };
  readonly spans: readonly DescribedSpan[];
}

/** Describes a `Batch` read without any knowledge of it. */
export function describedBatch(fields: readonly AnyField[]): DescribedBatch {
  const process = structOf(fields, 1);
  return {
    process: { serviceName: textOf(process, 1), tags: listOf(process, 2).map(describedTag) },
    spans: listOf(fields, 2).map(describedSpan),
  };
}

function describedSpan(span: readonly AnyField[]): DescribedSpan {
  return {
    traceIdHigh: idOf(span, 2),
    traceIdLow: idOf(span, 1),
    spanId: idOf(span, 3),
    parentSpanId: idOf(span, 4),
    operationName: textOf(span, 5),
    references: listOf(span, 6).map((reference) => ({
      refType: numberOf(reference, 1) === 0 ? 'CHILD_OF' : 'FOLLOWS_FROM',
      traceIdHigh: idOf(reference, 3),
      traceIdLow: idOf(reference, 2),
      spanId: idOf(reference, 4),
    })),
    flags: numberOf(span, 7),
    startTimeUs: String(longOf(span, 8)),
    durationUs: String(longOf(span, 9)),
    tags: listOf(span, 10).map(describedTag),
    logs: listOf(span, 11).map((log) => ({
      timestampUs: String(longOf(log, 1)),
      fields: listOf(log, 2).map(describedTag),
    })),
  };
}

function describedTag(tag: readonly AnyField[]): DescribedTag {
  const key = textOf(tag, 1);
  switch (numberOf(tag, 2)) {
    case 0:
      return { key, vType: 'STRING', value: textOf(tag, 3) };
    case 1:
      return { key, vType: 'DOUBLE', value: numberOf(tag, 4) };
    case 2:
      return { key, vType: 'BOOL', value: valueOf(tag, 5, ThriftType.BOOL)?.value ?? false };
    case 3:
      return { key, vType: 'LONG', value: String(longOf(tag, 6)) };
    default:
      return { key, vType: 'BINARY', value: textOf(tag, 7) };
  }
}

function valueOf<T extends ThriftType>(
  fields: readonly AnyField[],
  id: number,
  type: T,
): Extract<AnyThrift, { type: T }> | undefined {
  return fields.find((field) => field.id === id && field.value.type === type)?.value as
    Extract<AnyThrift, { type: T }> | undefined;
}

function structOf(fields: readonly AnyField[], id: number): readonly AnyField[] {
  return (valueOf(fields, id, ThriftType.STRUCT)?.value ?? []) as readonly AnyField[];
}

function listOf(fields: readonly AnyField[], id: number): (readonly AnyField[])[] {
  const list = fields.find((field) => field.id === id)?.value;
  return list?.type === ThriftType.LIST ? list.value.map((element) => element.value as readonly AnyField[]) : [];
}

function textOf(fields: readonly AnyField[], id: number): string {
  const value = fields.find((field) => field.id === id)?.value;
  return value?.type === ThriftType.STRING ? new TextDecoder().decode(value.value) : '';
}

function numberOf(fields: readonly AnyField[], id: number): number {
  const value = fields.find((field) => field.id === id)?.value;
  return value?.type === ThriftType.I32 || value?.type === ThriftType.DOUBLE ? value.value : 0;
}

function longOf(fields: readonly AnyField[], id: number): bigint {
  const value = fields.find((field) => field.id === id)?.value;
  return value?.type === ThriftType.I64 ? value.value : 0n;
}

function idOf(fields: readonly AnyField[], id: number): string {
  return BigInt.asUintN(64, longOf(fields, id)).toString(16).padStart(16, '0');
}
