import { X509Certificate, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { fail, ok } from '@clew/base';
import type { Result } from '@clew/base';
import { namesCertificate } from './certificate-id.ts';
import type { CertificateId } from './certificate-id.ts';
import { DerTag, derTimeUnixMs, oidContent, readDer } from './der.ts';
import type { DerNode } from './der.ts';

/** A responder's word that a certificate is good. */
export interface GoodStatus {
  readonly thisUpdateUnixMs: number;
  /** Until then it holds. */
  readonly nextUpdateUnixMs: number;
}

/** Why a response cannot be shown to clients. */
export interface NotGood {
  readonly reason: string;
  /** The responder has spoken, and not in favour: what it said before holds no longer. */
  readonly final: boolean;
}

/** What a response is checked against. */
export interface ExpectedStatus {
  readonly id: CertificateId;
  readonly issuer: X509Certificate;
  readonly nowUnixMs: number;
}

/** For responses that leave open how long they hold: newer ones are always to be had then. */
const defaultValidityMs = 3_600_000;
/** Clocks differ. */
const skewMs = 300_000;

const basicResponseOid = oidContent('1.3.6.1.5.5.7.48.1.1');
const ocspSigningUsage = '1.3.6.1.5.5.7.3.9';

/** How a response may be signed: by object identifier, the digest and the kind of key. */
const algorithms: ReadonlyMap<string, { readonly digest: string | null; readonly keyType: string }> = new Map(
  [
    ['1.2.840.113549.1.1.5', 'sha1', 'rsa'],
    ['1.2.840.113549.1.1.11', 'sha256', 'rsa'],
    ['1.2.840.113549.1.1.12', 'sha384', 'rsa'],
    ['1.2.840.113549.1.1.13', 'sha512', 'rsa'],
    ['1.2.840.10045.4.3.2', 'sha256', 'ec'],
    ['1.2.840.10045.4.3.3', 'sha384', 'ec'],
    ['1.2.840.10045.4.3.4', 'sha512', 'ec'],
    ['1.3.101.112', null, 'ed25519'],
  ].map(([oid, digest, keyType]) => [oidContent(oid!).toString('hex'), { digest: digest!, keyType: keyType! }]),
);

const statusNames: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};

/** Reads a response (RFC 6960 section 4.2.1) and finds out whether it says, undersigned by the right one, that the certificate is good now. */
export function readOcspResponse(bytes: Buffer, expected: ExpectedStatus): Result<GoodStatus, NotGood> {
  const [status, holder] = readDer(bytes)?.children ?? [];
  if (status?.tag !== DerTag.ENUMERATED) return notNow('the answer is no OCSP response');
  const code = status.content[0] ?? -1;
  if (code !== 0) return notNow(`the responder answered ${statusNames[code] ?? `status ${code}`}`);
  const [type, response] = holder?.children[0]?.children ?? [];
  if (type?.content.equals(basicResponseOid) !== true) return notNow('the answer is of a kind that is not known');
  const basic = response === undefined ? undefined : readDer(response.content);
  const [data, algorithm, signature, certificates] = basic?.children ?? [];
  if (data === undefined || signature?.tag !== DerTag.BIT_STRING) return notNow('the answer is no OCSP response');
  const signed = { data: data.bytes, algorithm, signature: signature.content.subarray(1) };
  const keys = signingKeys(expected, certificates?.children[0]?.children ?? []);
  if (!keys.some((key) => isSignedBy(signed, key))) return notNow('nobody entitled to has signed the answer');
  return readData(data, expected);
}

function notNow(reason: string): Result<never, NotGood> {
  return fail({ reason, final: false });
}

/** The issuer may sign itself, or have another do it whose certificate it has issued for just that (RFC 6960 section 4.2.2.2). */
function signingKeys({ issuer, nowUnixMs }: ExpectedStatus, certificates: readonly DerNode[]): KeyObject[] {
  const delegates = certificates.flatMap(({ bytes }) => {
    const delegate = certificateOf(bytes);
    return delegate !== undefined && isDelegate(delegate, issuer, nowUnixMs) ? [delegate.publicKey] : [];
  });
  return [issuer.publicKey, ...delegates];
}

function isDelegate(delegate: X509Certificate, issuer: X509Certificate, nowUnixMs: number): boolean {
  const from = Date.parse(delegate.validFrom) - skewMs;
  const to = Date.parse(delegate.validTo) + skewMs;
  return (
    delegate.keyUsage?.includes(ocspSigningUsage) === true &&
    nowUnixMs >= from &&
    nowUnixMs <= to &&
    delegate.checkIssued(issuer) &&
    delegate.verify(issuer.publicKey)
  );
}

function certificateOf(bytes: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(bytes);
  } catch {
    return undefined; // What is no certificate cannot be the signer's.
  }
}

function isSignedBy(
  signed: { readonly data: Buffer; readonly algorithm: DerNode | undefined; readonly signature: Buffer },
  key: KeyObject,
): boolean {
  const oid = signed.algorithm?.children[0]?.content.toString('hex') ?? '';
  const known = algorithms.get(oid);
  if (known === undefined || known.keyType !== key.asymmetricKeyType) return false;
  return verify(known.digest, signed.data, key, signed.signature);
}

function readData(data: DerNode, { id, nowUnixMs }: ExpectedStatus): Result<GoodStatus, NotGood> {
  // Version and the responder's name are in elements with tags of their own; the first plain sequence is the list of statuses.
  const list = data.children.find(({ tag }) => tag === DerTag.SEQUENCE);
  const single = list?.children.find(({ children }) => namesCertificate(children[0], id));
  if (single === undefined) return notNow('the answer is about other certificates');
  const [, status, thisUpdate, ...rest] = single.children;
  // The content of these is a choice: good, revoked, unknown.
  const choice = status === undefined ? -1 : status.tag & 0x1f;
  if (choice !== 0) return fail({ reason: `the certificate is ${choice === 1 ? 'revoked' : 'unknown'}`, final: true });
  const thisUpdateUnixMs = derTimeUnixMs(thisUpdate);
  const next = rest.find(({ tag }) => tag === 0xa0)?.children[0];
  if (thisUpdateUnixMs === undefined) return notNow('the answer has no time');
  const nextUpdateUnixMs = next === undefined ? nowUnixMs + defaultValidityMs : derTimeUnixMs(next);
  if (nextUpdateUnixMs === undefined) return notNow('the answer has no time until which it holds');
  if (thisUpdateUnixMs > nowUnixMs + skewMs) return notNow('the answer holds only later');
  if (nextUpdateUnixMs <= nowUnixMs) return notNow('the answer holds no longer');
  return ok({ thisUpdateUnixMs, nextUpdateUnixMs });
}
