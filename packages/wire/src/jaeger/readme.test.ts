import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { SpanBatch, toPlain } from '@clew/model';
import { describe, expect, it } from 'vitest';
import * as jaeger from './index.ts';

/** The README's example of this format, run as it stands there. */

const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
const section = readme.slice(readme.indexOf('## Jaeger'));
const snippet = /```ts\n([\s\S]*?)```/.exec(section)![1]!;
const datagram = readFileSync(
  fileURLToPath(new URL('testdata/jaeger-client-python_4.8.1.dev0__udp6831-compact.bin', import.meta.url)),
);

describe('the README', () => {
  it('has an example that works', () => {
    const body = snippet.replaceAll(/^import .*$/gm, '');
    const script = `${body}; ({ batch, method, protocol, clientStats, requests })`;
    const ran = runInNewContext(script, { ...jaeger, SpanBatch, datagram }) as {
      batch: SpanBatch;
      method: string;
      protocol: string;
      clientStats: unknown;
      requests: Uint8Array[];
    };
    const { batch, method, protocol, clientStats, requests } = ran;
    expect([batch.count, method, protocol, clientStats, requests.length]).toEqual([
      2,
      'emitBatch',
      'compact',
      undefined,
      1,
    ]);
    const again = new SpanBatch();
    jaeger.decodePostSpans(requests[0]!, again);
    expect(toPlain(again)).toEqual(toPlain(batch));
  });

  it('names functions that exist', () => {
    const named = [...section.slice(0, section.indexOf('\n## ', 5)).matchAll(/`((?:de|en)code\w+)/g)].map(
      ([, name]) => name!,
    );
    expect(named.length).toBeGreaterThan(7);
    for (const name of named) expect(jaeger).toHaveProperty(name);
  });
});
