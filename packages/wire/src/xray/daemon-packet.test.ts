import { SpanBatch, toPlain } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { WireError } from '../errors.ts';
import { decodeDaemonPacket, encodeDaemonPacket } from './daemon-packet.ts';
import { documentBytes, minimal } from './test/documents.ts';

const document = JSON.stringify(minimal());
const decode = (packet: string, batch = new SpanBatch()) => decodeDaemonPacket(documentBytes(packet), batch);

describe('a datagram is refused when', () => {
  it.each([
    ['it is empty', ''],
    ['it has no header', document],
    ['its header is no JSON', `header\n${document}`],
    ['its header is of another version', `{"format":"json","version":2}\n${document}`],
    ['its header is of another format', `{"format":"protobuf","version":1}\n${document}`],
    ['its header does not end', `{"format":"json","version":1}${' '.repeat(300)}\n${document}`],
  ])('%s', (_, packet) => {
    expect(() => decode(packet)).toThrow(WireError);
    expect(() => decode(packet)).toThrow(expect.objectContaining({ code: 'invalid_header' }) as Error);
  });

  it('its document is malformed, with the offset in the datagram', () => {
    const header = '{"format":"json","version":1}\n';
    expect(() => decode(`${header}{"name":x}`)).toThrow(
      expect.objectContaining({ code: 'invalid_json', details: { offset: header.length + 8 } }) as Error,
    );
    expect(() => decode(header)).toThrow(expect.objectContaining({ code: 'truncated' }) as Error);
  });
});

describe('a datagram', () => {
  it('holds one document behind a header, whatever white space is between', () => {
    const batch = new SpanBatch();
    expect(decode(`{"format": "json", "version": 1}\n${document}`, batch)).toBe(1);
    expect(decode(`{"version":1,"format":"json"}\r\n\n ${document}\n`, batch)).toBe(1);
    expect(toPlain(batch).map(({ name }) => name)).toEqual(['shop', 'shop']);
  });

  it('made of a document is read again', () => {
    const batch = new SpanBatch();
    expect(decodeDaemonPacket(encodeDaemonPacket(documentBytes(document)), batch)).toBe(1);
  });
});
