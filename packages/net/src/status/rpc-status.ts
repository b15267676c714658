import type { GrpcCode } from './grpc-code.ts';
import { grpcCodeFrom } from './grpc-code.ts';
import { readFields, writeFields } from './protobuf.ts';

/** One `google.protobuf.Any` attached to a status. */
export interface RpcDetail {
  /** Such as `type.googleapis.com/google.rpc.RetryInfo`. */
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

/** A `google.rpc.Status`: what a call ended with. */
export interface RpcStatus {
  readonly code: GrpcCode;
  /** For people; empty when there is nothing to say. */
  readonly message: string;
  readonly details: readonly RpcDetail[];
}

const retryInfoType = 'type.googleapis.com/google.rpc.RetryInfo';
const utf8 = new TextDecoder();
const toUtf8 = new TextEncoder();

/** Builds a status; `retryDelayMs` attaches a RetryInfo, which tells clients that and when to try again. */
export function rpcStatus(
  code: GrpcCode,
  message: string,
  options: { readonly retryDelayMs?: number } = {},
): RpcStatus {
  const details = options.retryDelayMs === undefined ? [] : [retryInfo(options.retryDelayMs)];
  return { code, message, details };
}

function retryInfo(delayMs: number): RpcDetail {
  const wholeMs = Math.max(0, Math.round(delayMs));
  const duration = writeFields([
    { number: 1, varint: BigInt(Math.floor(wholeMs / 1000)) },
    { number: 2, varint: BigInt((wholeMs % 1000) * 1_000_000) },
  ]);
  // An empty Duration is still a present one, which writeFields would leave out.
  const value = duration.length > 0 ? writeFields([{ number: 1, bytes: duration }]) : Uint8Array.of(0x0a, 0);
  return { typeUrl: retryInfoType, value };
}

/** The delay of an attached RetryInfo in milliseconds, 0 when it names none; undefined without a RetryInfo. */
export function retryDelayMsOf(status: RpcStatus): number | undefined {
  const detail = status.details.find(({ typeUrl }) => typeUrl.endsWith('/google.rpc.RetryInfo'));
  if (!detail) return undefined;
  let delayMs = 0;
  for (const field of readFields(detail.value, 'a RetryInfo')) {
    if (field.number !== 1 || !field.bytes) continue;
    for (const part of readFields(field.bytes, 'a RetryInfo delay')) {
      if (part.number === 1) delayMs += Number(BigInt.asIntN(64, part.varint ?? 0n)) * 1000;
      if (part.number === 2) delayMs += Number(BigInt.asIntN(32, part.varint ?? 0n)) / 1_000_000;
    }
  }
  return Math.max(0, delayMs);
}

/** Encodes a status as protobuf. */
export function encodeRpcStatus(status: RpcStatus): Uint8Array {
  return writeFields([
    { number: 1, varint: BigInt(status.code) },
    { number: 2, bytes: toUtf8.encode(status.message) },
    ...status.details.map((detail) => ({
      number: 3,
      bytes: writeFields([
        { number: 1, bytes: toUtf8.encode(detail.typeUrl) },
        { number: 2, bytes: detail.value },
      ]),
    })),
  ]);
}

/** Decodes a protobuf status. Fails with `malformed_status`. */
export function decodeRpcStatus(bytes: Uint8Array): RpcStatus {
  let code: GrpcCode = 0;
  let message = '';
  const details: RpcDetail[] = [];
  for (const field of readFields(bytes, 'a google.rpc.Status')) {
    if (field.number === 1) code = grpcCodeFrom(Number(BigInt.asIntN(32, field.varint ?? 0n)));
    if (field.number === 2 && field.bytes) message = utf8.decode(field.bytes);
    if (field.number === 3 && field.bytes) details.push(decodeAny(field.bytes));
  }
  return { code, message, details };
}

function decodeAny(bytes: Uint8Array): RpcDetail {
  let typeUrl = '';
  let value: Uint8Array = new Uint8Array(0);
  for (const field of readFields(bytes, 'a status detail')) {
    if (field.number === 1 && field.bytes) typeUrl = utf8.decode(field.bytes);
    if (field.number === 2 && field.bytes) value = field.bytes;
  }
  return { typeUrl, value };
}

/** The JSON form of a status. RetryInfo is written out; details of other types keep their bytes as base64. */
export function rpcStatusToJson(status: RpcStatus): string {
  const details = status.details.map((detail) => {
    if (detail.typeUrl !== retryInfoType) {
      return { '@type': detail.typeUrl, value: Buffer.from(detail.value).toString('base64') };
    }
    return { '@type': detail.typeUrl, retryDelay: `${(retryDelayMsOf(status) ?? 0) / 1000}s` };
  });
  return JSON.stringify({ code: status.code, message: status.message, ...(details.length > 0 ? { details } : {}) });
}

/** Reads the JSON form; undefined when the text is no status. Only RetryInfo survives among the details. */
export function rpcStatusFromJson(text: string): RpcStatus | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return undefined; // Any text may come back from a proxy; "not a status" is an answer, not an error.
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) return undefined;
  const { code, message, details } = parsed as Record<string, unknown>;
  if (code !== undefined && typeof code !== 'number') return undefined;
  if (code === undefined && typeof message !== 'string') return undefined;
  const retryDelayMs = retryDelayFromJson(details);
  return rpcStatus(
    grpcCodeFrom(code ?? 2),
    typeof message === 'string' ? message : '',
    retryDelayMs === undefined ? {} : { retryDelayMs },
  );
}

function retryDelayFromJson(details: unknown): number | undefined {
  if (!Array.isArray(details)) return undefined;
  for (const detail of details as unknown[]) {
    if (typeof detail !== 'object' || detail === null) continue;
    const { '@type': type, retryDelay } = detail as Record<string, unknown>;
    if (typeof type !== 'string' || !type.endsWith('/google.rpc.RetryInfo')) continue;
    const seconds = typeof retryDelay === 'string' ? /^(\d+(?:\.\d{1,9})?)s$/.exec(retryDelay)?.[1] : undefined;
    return seconds === undefined ? 0 : Number(seconds) * 1000;
  }
  return undefined;
}
