import { Limit } from '@clew/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { frameBytes, fromClient, testMask } from '../../../test/proxy/websocket.ts';
import { FrameReader, closeFrame } from './frames.ts';
import type { Frame, Violation } from './frames.ts';

const limitOf = (value: number): Limit =>
  new Limit({ name: 'l', setting: 'l.max', subject: 'a frame', unit: 'bytes', defaultValue: value }, value);

/** Everything a reader makes of pieces, up to and including a violation. */
function readAll(pieces: readonly Uint8Array[], masked: boolean, limitBytes = 1_000_000): (Frame | Violation)[] {
  const reader = new FrameReader(masked, limitOf(limitBytes));
  const found: (Frame | Violation)[] = [];
  for (const piece of pieces) {
    reader.push(Buffer.from(piece));
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      found.push(next);
      if (next.kind === 'violation') return found;
    }
  }
  return found;
}

const only = (bytes: Uint8Array, masked: boolean): Frame | Violation | undefined => readAll([bytes], masked)[0];

describe('reading frames', () => {
  it('refuses what is no frame of its sender', () => {
    const cases: [string, Uint8Array, boolean][] = [
      ['a frame is not masked', frameBytes(1, 'a'), true],
      ['a frame is masked', fromClient(1, 'a'), false],
      ['a frame uses an extension that was not agreed on', Buffer.from([0xc1, 0x00]), false],
      ['a frame has the reserved opcode 3', Buffer.from([0x83, 0x00]), false],
      ['a ping frame is in pieces or too long', Buffer.from([0x09, 0x00]), false],
      ['a close frame is in pieces or too long', Buffer.from([0x88, 126]), false],
      ['a message goes on that has not begun', frameBytes(0, 'a'), false],
      ['the length of a frame is not written in the shortest way', Buffer.from([0x81, 126, 0, 125]), false],
      [
        'the length of a frame is not written in the shortest way',
        Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0, 255, 255]),
        false,
      ],
    ];
    for (const [message, bytes, masked] of cases) {
      expect(only(bytes, masked)).toEqual({ kind: 'violation', closeCode: 1002, message });
    }
    const twoBeginnings = [frameBytes(1, 'a', { final: false }), frameBytes(1, 'b')];
    expect(readAll(twoBeginnings, false)[1]).toMatchObject({ message: 'a message begins within another' });
  });

  it('refuses a frame that is too long as soon as its length is known', () => {
    const bytes = frameBytes(2, Buffer.alloc(70_000));
    const found = readAll([bytes.subarray(0, 10)], false, 69_999);
    expect(found).toMatchObject([{ kind: 'violation', closeCode: 1009 }]);
    expect((found[0] as Violation).message).toContain('l.max');
    const huge = Buffer.from([0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255]);
    expect(readAll([huge], false, 1000)).toMatchObject([{ closeCode: 1009 }]);
  });

  it('finds the same frames however the bytes are cut, and keeps every byte', () => {
    const message = fc.record({
      opcode: fc.constantFrom(1, 2, 9, 10),
      payload: fc.oneof(fc.uint8Array({ maxLength: 125 }), fc.uint8Array({ minLength: 126, maxLength: 300 })),
    });
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.boolean(), fc.array(fc.nat(40)), (messages, masked, cuts) => {
        const sound = messages.filter(({ opcode, payload }) => opcode < 8 || payload.length < 126);
        const bytes = Buffer.concat(
          sound.map(({ opcode, payload }) => frameBytes(opcode, payload, masked ? { mask: testMask } : {})),
        );
        const pieces: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) pieces.push(bytes.subarray(at, (at += cut)));
        pieces.push(bytes.subarray(at));
        const frames = readAll(pieces, masked) as Frame[];
        expect(frames.map(({ payload }) => [...payload])).toEqual(sound.map(({ payload }) => [...payload]));
        expect(Buffer.concat(frames.map((frame) => frame.bytes))).toEqual(bytes);
      }),
    );
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 6 }), fc.boolean(), (pieces, masked) => {
        readAll(pieces, masked, 100);
      }),
    );
  });

  it('gives back what it has not read', () => {
    const reader = new FrameReader(false, limitOf(100));
    reader.push(frameBytes(1, 'whole'));
    reader.push(frameBytes(1, 'partial').subarray(0, 4));
    expect(reader.next()).toMatchObject({ type: 'text', isFinal: true });
    expect(reader.next()).toBeUndefined();
    expect(reader.takeRest()).toEqual(frameBytes(1, 'partial').subarray(0, 4));
    expect(reader.takeRest()).toHaveLength(0);
  });
});

describe('closing frames', () => {
  it('say why, masked where a client is to have sent them', () => {
    const bytes = closeFrame(1008, 'no');
    expect(bytes).toEqual(frameBytes(8, Buffer.from([0x03, 0xf0, 0x6e, 0x6f])));
    expect(closeFrame(1008, 'no', Buffer.from(testMask))).toEqual(fromClient(8, Buffer.from([0x03, 0xf0, 0x6e, 0x6f])));
  });

  it('cut reasons that are too long between characters', () => {
    const frame = only(closeFrame(1008, 'é'.repeat(100)), false) as Frame;
    expect(frame.payload.subarray(2).toString()).toBe('é'.repeat(61));
  });
});
