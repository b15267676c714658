import { createHash } from 'node:crypto';
import type { X509Certificate } from 'node:crypto';
import { DerTag, oidContent, readDer, writeDer } from './der.ts';
import type { DerNode } from './der.ts';

/** How a certificate is named to a responder (RFC 6960 section 4.1.1). */
export interface CertificateId {
  readonly issuerNameHash: Buffer;
  readonly issuerKeyHash: Buffer;
  /** The content of the INTEGER. */
  readonly serial: Buffer;
}

/** What every responder knows; nothing depends on its strength here. */
const sha1Oid = oidContent('1.3.14.3.2.26');

/** The name of a certificate; undefined when one of both is not as RFC 5280 says. */
export function certificateId(certificate: X509Certificate, issuer: X509Certificate): CertificateId | undefined {
  const own = fieldsOf(certificate);
  const key = fieldsOf(issuer)?.publicKey.children[1];
  if (own === undefined || key?.tag !== DerTag.BIT_STRING) return undefined;
  // The first byte of a bit string counts unused bits.
  return { issuerNameHash: sha1(own.issuer.bytes), issuerKeyHash: sha1(key.content.subarray(1)), serial: own.serial };
}

/** A request about one certificate (RFC 6960 section 4.1.1), without nonce: responders answer with what they have at hand. */
export function ocspRequest({ issuerNameHash, issuerKeyHash, serial }: CertificateId): Buffer {
  const { SEQUENCE, OCTET_STRING, INTEGER, OID, NULL } = DerTag;
  const algorithm = writeDer(SEQUENCE, writeDer(OID, sha1Oid), writeDer(NULL));
  const id = writeDer(
    SEQUENCE,
    algorithm,
    writeDer(OCTET_STRING, issuerNameHash),
    writeDer(OCTET_STRING, issuerKeyHash),
    writeDer(INTEGER, serial),
  );
  const requestList = writeDer(SEQUENCE, writeDer(SEQUENCE, id));
  return writeDer(SEQUENCE, writeDer(SEQUENCE, requestList));
}

/** Whether a CertID of a response names that certificate. */
export function namesCertificate(node: DerNode | undefined, id: CertificateId): boolean {
  const [algorithm, nameHash, keyHash, serial] = node?.children ?? [];
  return (
    algorithm?.children[0]?.content.equals(sha1Oid) === true &&
    nameHash?.content.equals(id.issuerNameHash) === true &&
    keyHash?.content.equals(id.issuerKeyHash) === true &&
    serial?.content.equals(id.serial) === true
  );
}

interface CertificateFields {
  readonly serial: Buffer;
  readonly issuer: DerNode;
  readonly publicKey: DerNode;
}

function fieldsOf({ raw }: X509Certificate): CertificateFields | undefined {
  const fields = readDer(raw)?.children[0]?.children ?? [];
  // The version comes first, unless it is the oldest.
  const [serial, , issuer, , , publicKey] = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
  if (serial?.tag !== DerTag.INTEGER || issuer === undefined || publicKey === undefined) return undefined;
  return { serial: serial.content, issuer, publicKey };
}

function sha1(bytes: Buffer): Buffer {
  return createHash('sha1').update(bytes).digest();
}
