import { inputError } from '../errors.ts';
import { BinaryReader } from './binary-reader.ts';
import { CompactReader } from './compact-reader.ts';
import { truncatedThrift } from './reader.ts';
import type { ThriftReader } from './reader.ts';
import { MessageType } from './types.ts';
import type { ThriftProtocol } from './types.ts';

/** First byte of a compact message, and of a binary one that names its version. */
export const COMPACT_ID = 0x82;
export const STRICT_ID = 0x80;
const COMPACT_VERSION = 1;
const BINARY_VERSION = 1;

/** What a message's header says. */
export interface MessageHeader {
  readonly protocol: ThriftProtocol;
  readonly type: MessageType;
  readonly method: string;
  /** Unsigned; clients number their messages or send 0. */
  readonly sequenceId: number;
}

/** The two kinds of readers, kept from one message to the next. */
export class MessageReaders {
  readonly binary: BinaryReader = new BinaryReader();
  readonly compact: CompactReader = new CompactReader();

  /** The reader for messages in this protocol. */
  of(protocol: ThriftProtocol): ThriftReader {
    return protocol === 'compact' ? this.compact : this.binary;
  }

  /**
   * Reads the header of the message in `bytes`, whose first byte tells the protocol. The reader of that protocol then stands before the
   * struct of arguments. Fails with `WireError` when it is no call of a method.
   */
  open(bytes: Uint8Array, maxDepth: number): MessageHeader {
    const protocol = protocolOf(bytes);
    const reader = this.of(protocol);
    reader.bind(bytes, 0, maxDepth);
    if (protocol === 'compact') return compactHeader(this.compact);
    return protocol === 'binary' ? strictHeader(this.binary) : oldHeader(this.binary);
  }

  /** Lets go of the input. */
  release(): void {
    this.binary.release();
    this.compact.release();
  }
}

function protocolOf(bytes: Uint8Array): ThriftProtocol {
  switch (bytes[0]) {
    case COMPACT_ID:
      return 'compact';
    case STRICT_ID:
      return 'binary';
    case 0:
      return 'old_binary';
    case undefined:
      throw inputError('truncated', 0, 'the input is empty, not a Thrift message');
    default:
      throw inputError(
        'unsupported_message',
        0,
        `the first byte is 0x${bytes[0]!.toString(16).padStart(2, '0')}, where a Thrift message has 0x82 (compact), 0x80 or 0x00 (binary)`,
      );
  }
}

/** `0x82`, type and version in one byte, sequence id, name. */
function compactHeader(reader: CompactReader): MessageHeader {
  if (reader.end < 2) throw truncatedThrift(0, 'the header of a message', reader.end);
  const packed = reader.buf[1]!;
  if ((packed & 0x1f) !== COMPACT_VERSION) throw unsupported(1, `version ${packed & 0x1f} of the compact protocol`);
  reader.pos = 2;
  const sequenceId = reader.varint();
  reader.binary();
  return { protocol: 'compact', type: callType(packed >>> 5, 1), method: methodAt(reader), sequenceId };
}

/** Version and type in one i32, name, sequence id. */
function strictHeader(reader: BinaryReader): MessageHeader {
  const packed = reader.i32();
  const version = (packed >>> 16) & 0x7fff;
  if (version !== BINARY_VERSION) throw unsupported(0, `version ${version} of the binary protocol`);
  reader.binary();
  const method = methodAt(reader);
  return { protocol: 'binary', type: callType(packed & 0xff, 0), method, sequenceId: reader.i32() >>> 0 };
}

/** Name, type byte, sequence id. */
function oldHeader(reader: BinaryReader): MessageHeader {
  reader.binary();
  const method = methodAt(reader);
  const at = reader.pos;
  return { protocol: 'old_binary', type: callType(reader.byte(), at), method, sequenceId: reader.i32() >>> 0 };
}

function callType(type: number, at: number): MessageType {
  if (type === MessageType.CALL || type === MessageType.ONEWAY) return type;
  throw unsupported(at, `a message of type ${type}, which is no call (1 or 4),`);
}

/** The string read last, as a method's name; no longer than names are, whatever is sent. */
function methodAt(reader: ThriftReader): string {
  return names.decode(reader.buf.subarray(reader.start, Math.min(reader.stop, reader.start + 64)));
}

function unsupported(at: number, what: string): Error {
  return inputError('unsupported_message', at, `${what} cannot be read`);
}

const names = new TextDecoder();
