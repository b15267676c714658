import { textReply } from '@clew/net';
import type { HttpReply, RequestHead } from '@clew/net';
import type { Decode } from '../common/span-ingest.ts';
import type { HttpDialect } from '../common/http-ingest.ts';
import { acceptedReply, plainFailure, plainRefusal } from '../common/plain-dialect.ts';

const mediaTypes: ReadonlySet<string> = new Set(['application/x-thrift', 'application/vnd.apache.thrift.binary']);
/** `type/subtype` of RFC 9110's tokens, then parameters. */
const mediaTypePattern = /^\s*[!#$%&'*+\-.^_`|~\w]+\/[!#$%&'*+\-.^_`|~\w]+\s*(;.*)?$/;
const words = { badBody: 'Unable to process request body: ', notTaken: 'Cannot submit Jaeger batch: ' } as const;

/** `POST /api/traces` as Jaeger's collector answers it. A missing Content-Type is accepted: old clients send none. */
export function thriftHttpDialect(decode: Decode): HttpDialect {
  return {
    refuseHead,
    decoderOf: () => decode,
    accepted: () => acceptedReply,
    failed: (caught) => plainFailure(caught, words),
    notAdmitted: (refusal) => plainRefusal(refusal, words),
  };
}

function refuseHead(head: RequestHead): HttpReply | undefined {
  if (head.method !== 'POST') return textReply(405, '405 method not allowed, supported: [POST]', { allow: 'POST' });
  const header = head.header('content-type');
  if (header === undefined || header.trim() === '') return undefined;
  if (!mediaTypePattern.test(header)) {
    return textReply(400, `Cannot parse content type: ${JSON.stringify(header)} is no media type`);
  }
  const type = header.split(';', 1)[0]!.trim().toLowerCase();
  return mediaTypes.has(type) ? undefined : textReply(400, `Unsupported content type: ${type}`);
}
