/**
 * Type codes of Thrift's binary protocol (thrift/doc/specs/thrift-binary-protocol.md). They name types throughout this
 * folder; the compact protocol has codes of its own, which its reader and writer translate.
 */
export const ThriftType = Object.freeze({
  STOP: 0,
  BOOL: 2,
  BYTE: 3,
  DOUBLE: 4,
  I16: 6,
  I32: 8,
  I64: 10,
  STRING: 11,
  STRUCT: 12,
  MAP: 13,
  SET: 14,
  LIST: 15,
} as const);
export type ThriftType = (typeof ThriftType)[keyof typeof ThriftType];

/** What a message is; the same numbers in every protocol. */
export const MessageType = Object.freeze({ CALL: 1, REPLY: 2, EXCEPTION: 3, ONEWAY: 4 } as const);
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** The protocols a message can be written in; `old_binary` is binary with the header of before versions were sent. */
export type ThriftProtocol = 'compact' | 'binary' | 'old_binary';

/** The name of a type code, for errors. */
export function thriftTypeName(type: number): string {
  return typeNames.get(type) ?? `type ${type}`;
}

const typeNames = new Map<number, string>(
  Object.entries(ThriftType).map(([name, type]) => [type, name.toLowerCase()] as const),
);

/**
 * By type code of the compact protocol (thrift/doc/specs/thrift-compact-protocol.md): the type it means, STOP where there
 * is none. True and false have codes of their own, 1 and 2: in a field's header they are the value.
 */
export const compactTypes: readonly number[] = [
  ThriftType.STOP,
  ThriftType.BOOL,
  ThriftType.BOOL,
  ThriftType.BYTE,
  ThriftType.I16,
  ThriftType.I32,
  ThriftType.I64,
  ThriftType.DOUBLE,
  ThriftType.STRING,
  ThriftType.LIST,
  ThriftType.SET,
  ThriftType.MAP,
  ThriftType.STRUCT,
  ThriftType.STOP,
  ThriftType.STOP,
  ThriftType.STOP,
];

/** The compact protocol's codes of the two bools. */
export const COMPACT_TRUE = 1;
export const COMPACT_FALSE = 2;
