import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { SpanBatch } from '@clew/model';
import { decodeTracesJson, encodeTraces, encodeTracesJson } from '@clew/wire/otlp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DemoTraffic } from '../demo/traffic.ts';
import { readSpanFile } from './read-spans.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'clew-read-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(content: Uint8Array | string): string {
  const path = join(folder, 'spans');
  writeFileSync(path, content);
  return path;
}

function oneSpan(name: string): SpanBatch {
  const batch = new SpanBatch();
  const span = { traceId: '1'.repeat(32), spanId: '2'.repeat(16), name };
  decodeTracesJson(Buffer.from(JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })), batch);
  return batch;
}

describe('a file of spans', () => {
  const { batch } = new DemoTraffic(1).trace(1_760_000_000_000_000_000n, 'normal');
  const json = Buffer.from(encodeTracesJson(batch)).toString();
  const protobuf = encodeTraces(batch);

  it.each([
    ['nothing like spans', 'buy milk and bread', 'is no OTLP trace file'],
    ['JSON of another kind', '{"resourceSpans": "many"}', 'is no OTLP trace file'],
    ['a line that is damaged', `${json}\n{"resourceSpans":[\n`, 'is no OTLP trace file'],
    ['gzip cut short', gzipSync(json).subarray(0, 40), 'does not decompress'],
    ['protobuf cut short', protobuf.subarray(0, protobuf.length - 3), 'is no OTLP trace file'],
  ])('that holds %s is refused with its name and a reason', async (_title, content, reason) => {
    const path = file(content);
    await expect(readSpanFile(path)).rejects.toMatchObject({ code: 'bad_input' });
    await expect(readSpanFile(path)).rejects.toThrow(`${path} ${reason}`);
  });

  it.each([
    ['JSON', json],
    ['JSON with space around it', `\n  ${json}\n\n`],
    ['indented JSON', JSON.stringify(JSON.parse(json), null, 2)],
    ['JSON lines', `${json}\n`],
    ['protobuf', protobuf],
    ['JSON in gzip', gzipSync(json)],
    ['protobuf in gzip', gzipSync(protobuf)],
  ])('is read as %s', async (_title, content) => {
    const read = await readSpanFile(file(content));
    expect(Buffer.from(encodeTraces(read)).equals(protobuf)).toBe(true);
  });

  it('is protobuf even when its first length is the code of a brace', async () => {
    // The root's name is stretched until the message's one ResourceSpans has 123 bytes.
    const sizes = Array.from({ length: 120 }, (_, length) => encodeTraces(oneSpan('x'.repeat(length))));
    const ambiguous = sizes.find((bytes) => bytes[0] === 0x0a && bytes[1] === 0x7b);
    expect((await readSpanFile(file(ambiguous!))).count).toBe(1);
  });

  it('may hold several requests, one per line', async () => {
    expect((await readSpanFile(file(`${json}\n${json}\n`))).count).toBe(batch.count * 2);
  });
});
