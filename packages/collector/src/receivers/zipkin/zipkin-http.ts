import { textReply } from '@clew/net';
import type { HttpReply, RequestHead } from '@clew/net';
import type { DecodeLimits } from '@clew/wire';
import { decodeZipkin } from '@clew/wire/zipkin';
import type { HttpDialect } from '../common/http-ingest.ts';
import { acceptedReply, plainFailure, plainRefusal } from '../common/plain-dialect.ts';

const words = { badBody: '', notTaken: '' } as const;

/** How bodies are read. */
export interface ZipkinDialectOptions {
  readonly limits: DecodeLimits;
  readonly parseStringTags: boolean;
}

/**
 * Spans posted to any path, in any of Zipkin's four formats: the body says which, because clients post version 1 to the path of
 * version 2 and name the wrong media type.
 */
export function zipkinDialect({ limits, parseStringTags }: ZipkinDialectOptions): HttpDialect {
  return {
    refuseHead,
    decoderOf(head) {
      // B3's debug flag, sent beside spans in formats that have no field for it.
      const debug = head.header('x-b3-flags') === '1';
      return (bytes, batch) => decodeZipkin(bytes, batch, { limits, parseStringTags, debug });
    },
    accepted: () => acceptedReply,
    failed: (caught) => plainFailure(caught, words),
    notAdmitted: (refusal) => plainRefusal(refusal, words),
  };
}

function refuseHead({ method }: RequestHead): HttpReply | undefined {
  if (method === 'POST') return undefined;
  return textReply(405, '405 method not allowed, supported: [POST]', { allow: 'POST' });
}
