import { SpanBatch, toPlain } from '@clew/model';
import type { PlainSpan } from '@clew/model';
import type { DecodeLimits } from '../../limits.ts';
import { BinaryWriter } from '../../thrift/binary-writer.ts';
import { writeStruct } from '../../thrift/test/any-value.ts';
import type { AnyField, AnyThrift } from '../../thrift/test/any-value.ts';
import { ThriftType } from '../../thrift/types.ts';
import { decodeThriftBatch } from '../thrift.ts';

/** Writes jaeger.thrift for tests that are about what it means. */

/** What a tag can be made from; a number that is an integer is a LONG all the same when it is a bigint. */
export type TagValue = string | bigint | number | boolean | Uint8Array;

/** A tag by key and value, so that keys may repeat. */
export type TagInput = readonly (readonly [string, TagValue])[];

/** A `SpanRef`. */
export interface ReferenceInput {
  readonly isFollowing?: boolean;
  readonly trace?: bigint;
  readonly span?: bigint;
  readonly type?: number;
}

/** A `Span`; what is left out is zero or empty. */
export interface SpanInput {
  readonly trace?: bigint;
  readonly traceHigh?: bigint;
  readonly id?: bigint;
  readonly parent?: bigint;
  readonly name?: string;
  readonly references?: readonly ReferenceInput[];
  readonly flags?: number;
  readonly startUs?: bigint;
  readonly durationUs?: bigint;
  readonly tags?: TagInput;
  readonly logs?: readonly { readonly timeUs: bigint; readonly fields: TagInput }[];
}

const text = (value: string): AnyThrift => ({ type: ThriftType.STRING, value: new TextEncoder().encode(value) });
const long = (value: bigint): AnyThrift => ({ type: ThriftType.I64, value });
const int = (value: number): AnyThrift => ({ type: ThriftType.I32, value });
const struct = (value: AnyField[]): AnyThrift => ({ type: ThriftType.STRUCT, value });
const list = (value: AnyThrift[]): AnyThrift => ({ type: ThriftType.LIST, of: ThriftType.STRUCT, value });
const fields = (...values: (AnyThrift | undefined)[]): AnyField[] =>
  values.flatMap((value, i) => (value === undefined ? [] : [{ id: i + 1, value }]));

/** The list of these tags. */
export function tagList(tags: TagInput): AnyThrift {
  return list(tags.map(([key, value]) => struct(tagFields(key, value))));
}

function tagFields(key: string, value: TagValue): AnyField[] {
  switch (typeof value) {
    case 'string':
      return fields(text(key), int(0), text(value));
    case 'number':
      return fields(text(key), int(1), undefined, { type: ThriftType.DOUBLE, value });
    case 'boolean':
      return fields(text(key), int(2), undefined, undefined, { type: ThriftType.BOOL, value });
    case 'bigint':
      return fields(text(key), int(3), undefined, undefined, undefined, long(value));
    default:
      return [...fields(text(key), int(4)), { id: 7, value: { type: ThriftType.STRING, value } }];
  }
}

/** A `Span` struct. */
export function spanStruct(span: SpanInput): AnyThrift {
  return struct(
    fields(
      long(span.trace ?? 1n),
      long(span.traceHigh ?? 0n),
      long(span.id ?? 2n),
      long(span.parent ?? 0n),
      text(span.name ?? ''),
      list((span.references ?? []).map(referenceStruct)),
      int(span.flags ?? 0),
      long(span.startUs ?? 0n),
      long(span.durationUs ?? 0n),
      tagList(span.tags ?? []),
      list((span.logs ?? []).map(({ timeUs, fields: list }) => struct(fields(long(timeUs), tagList(list))))),
    ),
  );
}

function referenceStruct({ isFollowing = false, trace = 1n, span = 9n, type }: ReferenceInput): AnyThrift {
  return struct(fields(int(type ?? (isFollowing ? 1 : 0)), long(trace), long(0n), long(span)));
}

/** The fields of a `Batch`. */
export function batchFields(
  spans: readonly SpanInput[],
  process: { service?: string; tags?: TagInput } = {},
): AnyField[] {
  return fields(
    struct(fields(text(process.service ?? 'a service'), tagList(process.tags ?? []))),
    list(spans.map(spanStruct)),
  );
}

/** A struct in the binary protocol. */
export function binaryBytes(struct: readonly AnyField[]): Uint8Array {
  const out = new BinaryWriter();
  writeStruct(out, struct);
  return out.finish();
}

/** What spans of a process decode to. */
export function decodedBatch(
  spans: readonly SpanInput[],
  process?: { service?: string; tags?: TagInput },
  limits?: DecodeLimits,
): PlainSpan[] {
  const batch = new SpanBatch();
  decodeThriftBatch(binaryBytes(batchFields(spans, process)), batch, limits);
  return toPlain(batch);
}

/** What one span of a process decodes to. */
export function decodedSpan(span: SpanInput, process?: { service?: string; tags?: TagInput }): PlainSpan {
  return decodedBatch([span], process)[0]!;
}
