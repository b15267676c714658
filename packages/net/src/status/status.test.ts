import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import {
  decodeGrpcMessage,
  encodeGrpcMessage,
  formatGrpcTimeout,
  parseGrpcTimeoutMs,
  statusTrailers,
} from '../grpc/metadata.ts';
import { GrpcCode, grpcCodeFrom } from './grpc-code.ts';
import { grpcCodeOfHttp, httpStatusOf, isRetryableStatus, retryAfterSecondsOf } from './http-mapping.ts';
import {
  decodeRpcStatus,
  encodeRpcStatus,
  retryDelayMsOf,
  rpcStatus,
  rpcStatusFromJson,
  rpcStatusToJson,
} from './rpc-status.ts';

const codes = fc.integer({ min: 0, max: 16 }).map(grpcCodeFrom);
const statuses = fc.record({
  code: codes,
  message: fc.string({ unit: 'grapheme' }),
  details: fc.array(fc.record({ typeUrl: fc.webUrl(), value: fc.uint8Array({ maxLength: 50 }) }), { maxLength: 3 }),
});

describe('google.rpc.Status', () => {
  it('survives protobuf', () => {
    fc.assert(
      fc.property(statuses, (status) => {
        const back = decodeRpcStatus(encodeRpcStatus(status));
        expect({ ...back, details: back.details.map((detail) => ({ ...detail, value: [...detail.value] })) }).toEqual({
          ...status,
          details: status.details.map((detail) => ({ ...detail, value: [...detail.value] })),
        });
      }),
    );
  });

  it('is read by other implementations of protobuf', () => {
    const { root } = protobuf.parse(`syntax = "proto3";
      message Any { string type_url = 1; bytes value = 2; }
      message Status { int32 code = 1; string message = 2; repeated Any details = 3; }
      message Duration { int64 seconds = 1; int32 nanos = 2; }
      message RetryInfo { Duration retry_delay = 1; }`);
    const bytes = encodeRpcStatus(rpcStatus(GrpcCode.unavailable, 'später', { retryDelayMs: 61_500 }));
    const status = root.lookupType('Status').decode(bytes) as unknown as {
      code: number;
      message: string;
      details: { value: Uint8Array }[];
    };
    expect([status.code, status.message]).toEqual([14, 'später']);
    const info = root
      .lookupType('RetryInfo')
      .decode(status.details[0]?.value ?? new Uint8Array(0))
      .toJSON();
    expect(info).toEqual({ retryDelay: { seconds: '61', nanos: 500_000_000 } });
  });

  it('never does worse than fail on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeRpcStatus(bytes);
        } catch (caught) {
          expect(caught).toMatchObject({ code: 'malformed_status' });
        }
      }),
    );
  });

  it('keeps code, message and retry delay in JSON', () => {
    fc.assert(
      fc.property(codes, fc.string(), fc.option(fc.integer({ min: 0, max: 1e6 })), (code, message, delayMs) => {
        const status = rpcStatus(code, message, delayMs === null ? {} : { retryDelayMs: delayMs });
        const back = rpcStatusFromJson(rpcStatusToJson(status));
        expect(back).toMatchObject({ code, message });
        expect(back && retryDelayMsOf(back)).toBe(delayMs ?? undefined);
      }),
    );
  });

  it.each(['', 'null', '[]', '"x"', '{}', '{"code":"3"}', '<html>', '{'])('is not read from %j', (text) => {
    expect(rpcStatusFromJson(text)).toBeUndefined();
  });

  it('tells a delay of zero from none', () => {
    expect(retryDelayMsOf(rpcStatus(GrpcCode.resourceExhausted, '', { retryDelayMs: 0 }))).toBe(0);
    expect(retryDelayMsOf(rpcStatus(GrpcCode.resourceExhausted, ''))).toBeUndefined();
  });
});

describe('grpc-message', () => {
  it('survives its encoding and stays printable', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (message) => {
        const encoded = encodeGrpcMessage(message);
        expect(encoded).toMatch(/^[ -~]*$/);
        expect(decodeGrpcMessage(encoded)).toBe(message);
      }),
    );
  });

  it('keeps broken escapes as they stand', () => {
    expect(decodeGrpcMessage('100% %zz %4')).toBe('100% %zz %4');
  });
});

describe('grpc-timeout', () => {
  it.each([
    ['1H', 3_600_000],
    ['2M', 120_000],
    ['3S', 3000],
    ['4m', 4],
    ['5000u', 5],
    ['6000000n', 6],
    ['123456789m', undefined],
    ['5', undefined],
    ['-5m', undefined],
    ['5 m', undefined],
  ])('reads %s', (text, expected) => {
    const parsed = parseGrpcTimeoutMs(text);
    if (expected === undefined) expect(parsed).toBeUndefined();
    else expect(parsed).toBeCloseTo(expected);
  });

  it('writes what it can read, never shorter than asked', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 1e10, noNaN: true }), (timeoutMs) => {
        expect(parseGrpcTimeoutMs(formatGrpcTimeout(timeoutMs))).toBeGreaterThanOrEqual(Math.floor(timeoutMs));
      }),
    );
  });
});

describe('trailers', () => {
  it('leave out what is empty', () => {
    expect(statusTrailers(rpcStatus(GrpcCode.ok, ''))).toEqual({ 'grpc-status': '0' });
  });
});

describe('the mapping to HTTP', () => {
  it.each([
    ['ok', 200, false],
    ['cancelled', 503, true],
    ['unknown', 500, false],
    ['invalidArgument', 400, false],
    ['deadlineExceeded', 503, true],
    ['notFound', 500, false],
    ['alreadyExists', 500, false],
    ['permissionDenied', 403, false],
    ['resourceExhausted', 429, false],
    ['failedPrecondition', 500, false],
    ['aborted', 503, true],
    ['outOfRange', 503, true],
    ['unimplemented', 404, false],
    ['internal', 500, false],
    ['unavailable', 503, true],
    ['dataLoss', 503, true],
    ['unauthenticated', 401, false],
  ] as const)('of %s is %i, retryable: %s', (name, http, retryable) => {
    expect([httpStatusOf(GrpcCode[name]), isRetryableStatus(rpcStatus(GrpcCode[name], ''))]).toEqual([http, retryable]);
  });

  it('retries RESOURCE_EXHAUSTED only with a RetryInfo', () => {
    expect(isRetryableStatus(rpcStatus(GrpcCode.resourceExhausted, '', { retryDelayMs: 0 }))).toBe(true);
  });

  it('rounds Retry-After up to whole seconds', () => {
    expect(retryAfterSecondsOf(rpcStatus(GrpcCode.unavailable, '', { retryDelayMs: 1001 }))).toBe(2);
    expect(retryAfterSecondsOf(rpcStatus(GrpcCode.unavailable, ''))).toBeUndefined();
  });

  it('knows what a proxy without gRPC means', () => {
    expect([400, 401, 403, 404, 429, 502, 503, 504, 500].map(grpcCodeOfHttp)).toEqual([
      13, 16, 7, 12, 14, 14, 14, 14, 2,
    ]);
  });
});
