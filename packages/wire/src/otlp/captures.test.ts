import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { SpanBatch, toPlain } from '@clew/model';
import { describe, expect, it } from 'vitest';
import { decodeTracesJson } from './json-decode.ts';
import { encodeTracesJson } from './json-encode.ts';
import { decodeTraces } from './protobuf-decode.ts';
import { encodeTraces } from './protobuf-encode.ts';

/**
 * Requests captured from real OpenTelemetry exporters, each with a description of the request and its content (`NAME.json`) as another
 * implementation decoded it.
 */

const captures = [
  'otel-js_0.223.0__auto-http-express-otlp-proto',
  'otel-js_0.223.0__otlp-grpc',
  'otel-js_0.223.0__otlp-grpc-gzip',
  'otel-js_0.223.1__otlp-http-json',
  'otel-js_0.223.1__otlp-http-json-gzip',
  'otel-js_0.223.1__otlp-http-proto',
  'otel-js_0.301.1__otlp-http-proto',
];

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

interface Capture {
  readonly message: { [name: string]: Json };
  readonly body: Uint8Array;
  readonly isJson: boolean;
}

function readCapture(name: string): Capture {
  const file = (extension: string) =>
    readFileSync(fileURLToPath(new URL(`testdata/${name}.${extension}`, import.meta.url)));
  const described = JSON.parse(file('json').toString()) as {
    request: { transport: string; headers: Record<string, string> };
    decoded: { message?: Capture['message'] } & Capture['message'];
  };
  const { headers } = described.request;
  const isGrpc = headers['content-type'] === 'application/grpc';
  let body: Uint8Array = file('bin');
  if (isGrpc) body = body[0] === 1 ? gunzipSync(body.subarray(5)) : body.subarray(5);
  else if (headers['Content-Encoding'] === 'gzip') body = gunzipSync(body);
  return {
    message: described.decoded.message ?? described.decoded,
    body,
    isJson: headers['Content-Type'] === 'application/json',
  };
}

/** One form for both: defaults that one writer leaves out and another writes are gone, 64-bit integers are text. */
function canonical(value: Json, name = ''): Json | undefined {
  if (Array.isArray(value)) {
    if (value.length === 0) return undefined;
    return value.map((element) => canonical(element, 'element') ?? {});
  }
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value)
      .map(([key, member]) => [key, canonical(member, key)] as const)
      .filter(([, member]) => member !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1)) as [string, Json][];
    return members.length === 0 && name !== 'value' ? undefined : Object.fromEntries(members);
  }
  if (name === 'intValue') return String(value);
  if (name.endsWith('Value')) return value;
  return value === 0 || value === '' || value === null ? undefined : value;
}

describe.each(captures)('%s', (name) => {
  const { message, body, isJson } = readCapture(name);
  const batch = new SpanBatch();
  const count = isJson ? decodeTracesJson(body, batch) : decodeTraces(body, batch);

  it('decodes to spans that carry every value of the description', () => {
    expect(count).toBeGreaterThan(1);
    const written = JSON.parse(new TextDecoder().decode(encodeTracesJson(batch))) as Json;
    expect(canonical(written)).toEqual(canonical(message));
  });

  it('gives equal spans after encoding to protobuf and to JSON', () => {
    const fromProtobuf = new SpanBatch();
    decodeTraces(encodeTraces(batch), fromProtobuf);
    expect(toPlain(fromProtobuf)).toEqual(toPlain(batch));
    const fromJson = new SpanBatch();
    decodeTracesJson(encodeTracesJson(batch), fromJson);
    expect(toPlain(fromJson)).toEqual(toPlain(batch));
  });
});
