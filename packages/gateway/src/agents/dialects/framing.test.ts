import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameReader, encodeFrame, plainFraming, typedFraming } from './framing.ts';

function read(framing: typeof typedFraming, pieces: readonly Buffer[]): [number, string][] {
  const frames: [number, string][] = [];
  const reader = new FrameReader(framing, (type, payload) => frames.push([type, payload.toString()]));
  for (const piece of pieces) reader.push(piece);
  return frames;
}

describe('frames', () => {
  it('are refused when they announce more than the limit, before anything of them has come', () => {
    expect(() => read(typedFraming, [Buffer.from('48545450', 'hex')])).toThrow(
      'the agent announced a frame of 1213486160 bytes; 1 to 16777216 are possible',
    );
    expect(() => read(plainFraming, [Buffer.from([0, 0xa0, 0, 1])])).toThrow('1 to 10485760 are possible');
  });

  it('are refused when they announce nothing', () => {
    expect(() => read(typedFraming, [Buffer.alloc(4)])).toThrow('a frame of 0 bytes');
  });

  it('are not made when the peer would refuse them', () => {
    const payload = 'x'.repeat(plainFraming.maxBytes + 1);
    expect(() => encodeFrame(plainFraming, 0, payload)).toThrow('an event of 10485761 bytes does not fit');
  });

  it('look as the protocol says', () => {
    expect(encodeFrame(typedFraming, 0x41, '{}').toString('hex')).toBe('00000003417b7d');
    expect(encodeFrame(plainFraming, 0, '{}').toString('hex')).toBe('000000027b7d');
  });

  it('are found whole and in order however the stream is cut', () => {
    const frame = fc.tuple(fc.integer({ min: 0, max: 255 }), fc.string({ unit: 'grapheme', minLength: 1 }));
    fc.assert(
      fc.property(fc.array(frame), fc.array(fc.nat(50)), fc.boolean(), (sent, cuts, typed) => {
        const framing = typed ? typedFraming : plainFraming;
        const bytes = Buffer.concat(sent.map(([type, text]) => encodeFrame(framing, type, text)));
        const pieces: Buffer[] = [];
        let at = 0;
        for (const cut of cuts) {
          pieces.push(bytes.subarray(at, at + cut));
          at += cut;
        }
        pieces.push(bytes.subarray(at));
        expect(read(framing, pieces)).toEqual(typed ? sent : sent.map(([, text]) => [0, text]));
      }),
    );
  });
});
