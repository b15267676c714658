// What tests of WebSockets share: frames as bytes, written apart from the code that reads them.

/** The bytes of a frame; a client's is masked. */
export function frameBytes(
  opcode: number,
  payload: string | Uint8Array,
  options: { readonly mask?: readonly number[]; readonly final?: boolean } = {},
): Buffer {
  const { mask, final = true } = options;
  const data = Buffer.from(payload as string);
  const maskBit = mask === undefined ? 0 : 0x80;
  const first = (final ? 0x80 : 0) | opcode;
  const size = Buffer.alloc(8);
  size.writeBigUInt64BE(BigInt(data.length));
  const length =
    data.length < 126
      ? [maskBit | data.length]
      : data.length < 65_536
        ? [maskBit | 126, ...size.subarray(6)]
        : [maskBit | 127, ...size];
  const key = mask ?? [];
  const sent = mask === undefined ? data : data.map((byte, index) => byte ^ mask[index % 4]!);
  return Buffer.concat([Buffer.from([first, ...length, ...key]), sent]);
}

/** A mask as clients draw them, the same each time. */
export const testMask = [0x37, 0xfa, 0x21, 0x3d];

/** What a client would send. */
export const fromClient = (opcode: number, payload: string | Uint8Array, final = true): Buffer =>
  frameBytes(opcode, payload, { mask: testMask, final });
