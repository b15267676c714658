// Certificates for tests, made anew by every run so that no key is ever stored: X.509 v3 (RFC 5280) in DER, written by
// hand because it takes less code than describing it to a library.
import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A certificate and its private key, both PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** A certificate that signs others. */
export interface TestAuthority extends TestCertificate {
  /** Issues a certificate for `localhost` and `127.0.0.1`, for servers and clients alike. */
  issue(commonName: string, options?: IssueOptions): TestCertificate;
}

/** What a certificate says besides. */
export interface IssueOptions {
  /** Who is to be asked whether it was revoked. */
  readonly ocspUrl?: string;
}

const hour = 3_600_000;

/** Makes an authority. */
export function createAuthority(commonName = 'clew test authority'): TestAuthority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const cert = certificate(commonName, keys.publicKey, commonName, keys.privateKey, [basicConstraints(true)]);
  return {
    cert,
    key,
    issue(subject, { ocspUrl } = {}) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      return {
        cert: certificate(subject, own.publicKey, commonName, createPrivateKey(key), serverExtensions(ocspUrl)),
        key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
      };
    },
  };
}

function certificate(
  subject: string,
  publicKey: KeyObject,
  issuer: string,
  issuerKey: KeyObject,
  extensions: readonly Uint8Array[],
): string {
  const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'));
  const body = sequence(
    tagged(0xa0, integer(Uint8Array.of(2))),
    integer(Uint8Array.of(1, ...randomBytes(8))),
    ecdsaWithSha256,
    name(issuer),
    sequence(utcTime(Date.now() - hour), utcTime(Date.now() + hour)),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, sequence(...extensions)),
  );
  const signature = sign('sha256', body, issuerKey);
  const der = sequence(body, ecdsaWithSha256, tagged(0x03, Uint8Array.of(0), signature));
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function basicConstraints(isAuthority: boolean): Uint8Array {
  return extension('2.5.29.19', isAuthority ? sequence(Uint8Array.of(0x01, 0x01, 0xff)) : sequence());
}

function serverExtensions(ocspUrl: string | undefined): Uint8Array[] {
  const names = sequence(tagged(0x82, Buffer.from('localhost')), tagged(0x87, Uint8Array.of(127, 0, 0, 1)));
  const own = [basicConstraints(false), extension('2.5.29.17', names)];
  if (ocspUrl === undefined) return own;
  const responder = sequence(oid('1.3.6.1.5.5.7.48.1'), tagged(0x86, Buffer.from(ocspUrl)));
  return [...own, extension('1.3.6.1.5.5.7.1.1', sequence(responder))];
}

function extension(id: string, content: Uint8Array): Uint8Array {
  return sequence(oid(id), octets(content));
}

function name(commonName: string): Uint8Array {
  return sequence(tagged(0x31, sequence(oid('2.5.4.3'), tagged(0x0c, Buffer.from(commonName)))));
}

function utcTime(unixMs: number): Uint8Array {
  const text = new Date(unixMs).toISOString().replace(/[-:T]/g, '').slice(2, 14);
  return tagged(0x17, Buffer.from(`${text}Z`));
}

function octets(content: Uint8Array): Uint8Array {
  return tagged(0x04, content);
}

function integer(bytes: Uint8Array): Uint8Array {
  return tagged(0x02, bytes);
}

function sequence(...parts: Uint8Array[]): Uint8Array {
  return tagged(0x30, ...parts);
}

function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split('.').map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let more = arc >> 7; more > 0; more >>= 7) digits.unshift((more & 0x7f) | 0x80);
    return digits;
  });
  return tagged(0x06, Uint8Array.from(arcs));
}

function tagged(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const header =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Uint8Array.from(header), content]);
}
