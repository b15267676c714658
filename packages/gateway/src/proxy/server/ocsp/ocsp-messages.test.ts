import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { certificateId, ocspRequest } from './certificate-id.ts';
import { derTimeUnixMs, oidContent, readDer, writeDer } from './der.ts';
import { readOcspResponse } from './ocsp-response.ts';

const file = (name: string): Buffer => readFileSync(join(import.meta.dirname, 'testdata', name));
const leaf = new X509Certificate(file('leaf.pem'));
const issuer = new X509Certificate(file('issuer.pem'));
const id = certificateId(leaf, issuer)!;
const updatedUnixMs = Date.parse('2026-11-21T08:53:18Z');
const DAY_MS = 86_400_000;

const read = (bytes: Buffer, nowUnixMs = updatedUnixMs + DAY_MS) => readOcspResponse(bytes, { id, issuer, nowUnixMs });

describe('DER', () => {
  it.each([
    ['nothing', ''],
    ['two elements', '05000500'],
    ['a head without its length', '30'],
    ['less content than announced', '30030201'],
    ['an indefinite length', '30800000'],
    ['a length of five bytes', '30850000000001ff'],
    ['a tag of several bytes', '1f810100'],
    ['children that are none', '30020505'],
  ])('refuses %s', (_what, hex) => expect(readDer(Buffer.from(hex, 'hex'))).toBeUndefined());

  it('refuses more levels than anything has', () => {
    let deep = writeDer(0x05);
    for (let level = 0; level < 40; level++) deep = writeDer(0x30, deep);
    expect(readDer(deep)).toBeUndefined();
  });

  it('reads what it wrote, of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70_000 }), (content) => {
        const node = readDer(writeDer(0x30, writeDer(0x04, content)));
        expect(node?.children[0]?.content.equals(content)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('never throws, whatever the bytes are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void readDer(Buffer.from(bytes))));
  });

  it('knows object identifiers and times', () => {
    expect(oidContent('1.2.840.10045.4.3.2').toString('hex')).toBe('2a8648ce3d040302');
    const time = (text: string) => derTimeUnixMs(readDer(writeDer(0x18, Buffer.from(text))));
    expect(time('20261121085318Z')).toBe(updatedUnixMs);
    expect([time('20261321085318Z'), time('20261121085318+0100'), time('2611210853Z')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe('OCSP requests', () => {
  it('are byte for byte those of another implementation', () => {
    expect(ocspRequest(id).toString('hex')).toBe(file('leaf.req').toString('hex'));
  });
});

describe('OCSP responses', () => {
  it('of one who may not sign are worth nothing', () => {
    const reason = 'nobody entitled to has signed the answer';
    expect(read(file('signed-by-stranger.der'))).toEqual({ ok: false, error: { reason, final: false } });
  });

  it('about another certificate say nothing of this one', () => {
    const reason = 'the answer is about other certificates';
    expect(read(file('revoked.der'))).toEqual({ ok: false, error: { reason, final: false } });
  });

  it('that say revoked are final', () => {
    const other = { ...id, serial: Buffer.from('1001', 'hex') };
    const nowUnixMs = updatedUnixMs;
    expect(readOcspResponse(file('revoked.der'), { id: other, issuer, nowUnixMs })).toEqual({
      ok: false,
      error: { reason: 'the certificate is revoked', final: true },
    });
  });

  it.each([
    ['holds only later', updatedUnixMs - 600_000],
    ['holds no longer', updatedUnixMs + 7 * DAY_MS],
  ])('%s', (reason, nowUnixMs) => {
    expect(read(file('good-by-issuer.der'), nowUnixMs)).toEqual({
      ok: false,
      error: { reason: `the answer ${reason}`, final: false },
    });
  });

  it.each([
    ['30030a0106', 'the responder answered unauthorized'],
    ['30030a0163', 'the responder answered status 99'],
    ['30030a0100', 'the answer is of a kind that is not known'],
    ['3003020100', 'the answer is no OCSP response'],
    ['48656c6c6f', 'the answer is no OCSP response'],
  ])('%s: %s', (hex, reason) => {
    expect(read(Buffer.from(hex, 'hex'))).toEqual({ ok: false, error: { reason, final: false } });
  });

  it.each(['good-by-issuer.der', 'good-by-delegate.der'])('are good: %s', (name) => {
    const value = { thisUpdateUnixMs: updatedUnixMs, nextUpdateUnixMs: updatedUnixMs + 7 * DAY_MS };
    expect(read(file(name))).toEqual({ ok: true, value });
  });

  it('with any byte changed are good only where nothing that was signed changed', () => {
    const bytes = file('good-by-delegate.der');
    const good = read(bytes);
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 0x41;
      const result = read(changed);
      if (result.ok) expect(result).toEqual(good);
    }
  });
});
