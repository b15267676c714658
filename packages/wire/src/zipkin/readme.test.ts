import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { SpanBatch } from '@clew/model';
import { describe, expect, it } from 'vitest';
import * as zipkin from './index.ts';
import { jsonBytes, parsedJson } from './test/spans.ts';

/** What the README says of this format, run as it stands there. */

const readme = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');
const start = readme.indexOf('## Zipkin');
const section = readme.slice(start, readme.indexOf('\n## ', start + 1));

describe('the README', () => {
  it('has an example that works', () => {
    const snippet = /```ts\n([\s\S]*?)```/.exec(section)![1]!;
    const sent = [{ traceId: '463ac35c9f6413ad', id: 'a2fb4a1d1a96d312', kind: 'CLIENT', name: 'get' }];
    const script = `${snippet.replaceAll(/^import .*$/gm, '')}; ({ spans, format, json })`;
    const { spans, format, json } = runInNewContext(script, { ...zipkin, SpanBatch, body: jsonBytes(sent) }) as {
      spans: number;
      format: string;
      json: Uint8Array;
    };
    expect([spans, format]).toEqual([1, 'v2_json']);
    expect(parsedJson(json)).toEqual(sent);
  });

  it('names functions that exist', () => {
    const named = [...section.matchAll(/`((?:de|en)codeZipkin\w*)/g)].map(([, name]) => name!);
    expect(new Set(named).size).toBeGreaterThan(9);
    for (const name of named) expect(zipkin).toHaveProperty(name);
  });
});
