import type { SpanBatch } from '@clew/model';
import { plainBytes } from '@clew/model';
import { inputError } from '../errors.ts';
import { resolveLimits } from '../limits.ts';
import type { DecodeLimits } from '../limits.ts';
import { MessageReaders } from '../thrift/message.ts';
import { NO_FIELD } from '../thrift/reader.ts';
import type { ThriftReader } from '../thrift/reader.ts';
import { ThriftType } from '../thrift/types.ts';
import type { ThriftProtocol } from '../thrift/types.ts';
import { decodeZipkinThriftSpans } from '../zipkin/thrift-decode.ts';
import { ThriftBatchDecoder } from './thrift-decode.ts';
import type { ThriftBatchResult } from './thrift-decode.ts';

/** What a datagram to a Jaeger agent was. */
export interface AgentMessageResult extends ThriftBatchResult {
  readonly method: 'emitBatch' | 'emitZipkinBatch';
  readonly protocol: ThriftProtocol;
}

const readers = new MessageReaders();
const decoder = new ThriftBatchDecoder();

/**
 * Appends the spans of a bare `Batch` of jaeger.thrift, the body of a request to `/api/traces`, to `batch`. The protocol
 * is binary by custom; a compact one is told by its first byte. What follows the struct is not looked at.
 *
 * The batch may borrow `bytes` as its heap: the caller must not write to them while the batch holds the spans. Fails with
 * `WireError` (with the byte offset), leaving the batch as it was before.
 */
export function decodeThriftBatch(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits = {}): ThriftBatchResult {
  const plain = plainBytes(bytes);
  const reader = isCompact(plain) ? readers.compact : readers.binary;
  try {
    reader.bind(plain, 0, resolveLimits(limits).maxDepth);
    return decoder.decode(reader, plain, batch, limits);
  } finally {
    readers.release();
  }
}

/**
 * Appends the spans of a datagram to a Jaeger agent (agent.thrift: `emitBatch` or `emitZipkinBatch`, in any protocol, which its
 * first bytes tell) to `batch`. The same rules as for {@link decodeThriftBatch} hold.
 */
export function decodeAgentMessage(bytes: Uint8Array, batch: SpanBatch, limits: DecodeLimits = {}): AgentMessageResult {
  const plain = plainBytes(bytes);
  try {
    const { protocol, method } = readers.open(plain, resolveLimits(limits).maxDepth);
    const reader = readers.of(protocol);
    switch (method) {
      case 'emitBatch':
        findArgument(reader, ThriftType.STRUCT);
        return { method, protocol, ...decoder.decode(reader, plain, batch, limits) };
      case 'emitZipkinBatch': {
        findArgument(reader, ThriftType.LIST);
        const spans = decodeZipkinThriftSpans(reader, batch, limits);
        return { method, protocol, spans, sequenceNumber: undefined, clientStats: undefined };
      }
      default:
        throw inputError('unsupported_message', 0, `the method "${method}" is neither emitBatch nor emitZipkinBatch`);
    }
  } finally {
    readers.release();
  }
}

/**
 * Whether a bare struct is in the compact protocol. The header of its first field is a type below 16 and an id of two bytes in binary, of
 * which the upper is zero for any id below 256. In compact a first byte below 16 is followed by the id as a varint, which
 * begins with zero only for the id 0.
 */
function isCompact(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  return first >= 0x10 || (first !== 0 && bytes.length > 1 && bytes[1] !== 0);
}

/** Stands before the value of field 1 of the struct of arguments. */
function findArgument(reader: ThriftReader, type: number): void {
  const at = reader.pos;
  for (let id = reader.field(0); id !== NO_FIELD; id = reader.field(id)) {
    if (id === 1) {
      reader.expect(type);
      return;
    }
    reader.skip();
  }
  throw inputError('missing_field', at, 'a message to a Jaeger agent has no argument');
}
