// Distinguished Encoding Rules (ITU-T X.690), as far as OCSP and certificates need them: tags of one byte, definite lengths.

/** One element, with what it contains. */
export interface DerNode {
  readonly tag: number;
  /** The whole element. */
  readonly bytes: Buffer;
  /** Without its head. */
  readonly content: Buffer;
  /** Of constructed elements; else empty. */
  readonly children: readonly DerNode[];
}

export const DerTag = {
  INTEGER: 0x02,
  BIT_STRING: 0x03,
  OCTET_STRING: 0x04,
  NULL: 0x05,
  OID: 0x06,
  ENUMERATED: 0x0a,
  GENERALIZED_TIME: 0x18,
  SEQUENCE: 0x30,
} as const;

const CONSTRUCTED = 0x20;
/** Certificates within responses have about a dozen levels. */
const MAX_DEPTH = 32;

/** The one element that the bytes are; undefined when they are not. */
export function readDer(bytes: Buffer): DerNode | undefined {
  const nodes = readAll(bytes, 0);
  return nodes?.length === 1 ? nodes[0] : undefined;
}

/** An element of these parts. */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const digits: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
  return Buffer.concat([Buffer.of(tag, 0x80 | digits.length, ...digits), content]);
}

/** The content of an object identifier such as `1.3.14.3.2.26`. */
export function oidContent(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const digits = [first * 40 + second, ...rest].flatMap((arc) => {
    const low = [arc % 128];
    for (let more = Math.floor(arc / 128); more > 0; more = Math.floor(more / 128)) low.unshift((more % 128) | 0x80);
    return low;
  });
  return Buffer.from(digits);
}

/** The time of a GeneralizedTime as certificates write it, `20260131235959Z`, in milliseconds since 1970. */
export function derTimeUnixMs(node: DerNode | undefined): number | undefined {
  if (node?.tag !== DerTag.GENERALIZED_TIME) return undefined;
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(node.content.toString('latin1'));
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const unixMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(unixMs) ? undefined : unixMs;
}

function readAll(bytes: Buffer, depth: number): DerNode[] | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const nodes: DerNode[] = [];
  let at = 0;
  while (at < bytes.length) {
    const head = readHead(bytes, at);
    if (head === undefined) return undefined;
    const content = bytes.subarray(head.contentAt, head.end);
    const children = (head.tag & CONSTRUCTED) === 0 ? [] : readAll(content, depth + 1);
    if (children === undefined) return undefined;
    nodes.push({ tag: head.tag, bytes: bytes.subarray(at, head.end), content, children });
    at = head.end;
  }
  return nodes;
}

function readHead(
  bytes: Buffer,
  at: number,
): { readonly tag: number; readonly contentAt: number; readonly end: number } | undefined {
  const tag = bytes[at]!;
  const first = bytes[at + 1];
  if (first === undefined || (tag & 0x1f) === 0x1f) return undefined;
  const digits = first < 0x80 ? 0 : first & 0x7f;
  // 0x80 alone is an indefinite length, which DER has not.
  if (first === 0x80 || digits > 4 || at + 2 + digits > bytes.length) return undefined;
  const contentAt = at + 2 + digits;
  const length = digits === 0 ? first : bytes.readUIntBE(at + 2, digits);
  const end = contentAt + length;
  return end > bytes.length ? undefined : { tag, contentAt, end };
}
