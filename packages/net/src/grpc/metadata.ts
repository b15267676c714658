import { encodeRpcStatus } from '../status/rpc-status.ts';
import type { RpcStatus } from '../status/rpc-status.ts';

const toUtf8 = new TextEncoder();

/** `grpc-message` as it travels: bytes outside printable ASCII, and `%`, are percent-encoded. */
export function encodeGrpcMessage(message: string): string {
  if (/^[ -$&-~]*$/.test(message)) return message;
  let out = '';
  for (const byte of toUtf8.encode(message)) {
    const plain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    out += plain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** Undoes `encodeGrpcMessage`; broken escapes are kept as they stand, as the protocol asks. */
export function decodeGrpcMessage(encoded: string): string {
  if (!encoded.includes('%')) return encoded;
  const bytes: number[] = [];
  for (let at = 0; at < encoded.length; at++) {
    const escape = /^%[0-9a-fA-F]{2}/.exec(encoded.slice(at, at + 3))?.[0];
    if (escape) {
      bytes.push(Number.parseInt(escape.slice(1), 16));
      at += 2;
    } else {
      bytes.push(...toUtf8.encode(encoded.charAt(at)));
    }
  }
  return Buffer.from(bytes).toString('utf8');
}

/** The trailers that end a call with a status. */
export function statusTrailers(status: RpcStatus): Record<string, string> {
  const trailers: Record<string, string> = { 'grpc-status': String(status.code) };
  if (status.message !== '') trailers['grpc-message'] = encodeGrpcMessage(status.message);
  if (status.details.length > 0) trailers['grpc-status-details-bin'] = base64Unpadded(encodeRpcStatus(status));
  return trailers;
}

function base64Unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64').replace(/=+$/, '');
}

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 };

/** A `grpc-timeout` in milliseconds; undefined when the text is not one. */
export function parseGrpcTimeoutMs(text: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(text);
  return match ? Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0) : undefined;
}

/** A timeout as `grpc-timeout` says it: at most eight digits, so long ones are told in seconds. */
export function formatGrpcTimeout(timeoutMs: number): string {
  const wholeMs = Math.max(1, Math.ceil(timeoutMs));
  return wholeMs <= 99_999_999 ? `${wholeMs}m` : `${Math.min(99_999_999, Math.ceil(wholeMs / 1000))}S`;
}
