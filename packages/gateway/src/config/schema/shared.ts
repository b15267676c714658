import type { CircuitBreakerConfig, ClientTlsConfig } from '../model/upstream.ts';
import type { HeaderEdits, HeaderValue } from '../model/route.ts';
import type { RateLimitKey } from '../model/system.ts';
import { headerName } from '../table/address-type.ts';
import { block } from '../table/block.ts';
import type { Block } from '../table/block.ts';
import { headerPairs } from '../table/collections.ts';
import { list, optional, setting } from '../table/field.ts';
import { duration, flag, integer, refine, word } from '../table/value-type.ts';
import type { ValueType } from '../table/value-type.ts';
import { fail, ok } from '@clew/base';

/** Statuses of HTTP. */
export const statusCode = integer({ min: 100, max: 599 });

const plainKeys: Readonly<Record<string, RateLimitKey>> = {
  'client-ip': { kind: 'client-ip' },
  path: { kind: 'path' },
  route: { kind: 'route' },
  'client-ip-and-path': { kind: 'client-ip-and-path' },
};

/** What requests are told apart by; the words also with `_`. */
export const rateLimitKey: ValueType<RateLimitKey> = refine(
  word,
  '"client-ip", "path", "route", "client-ip-and-path" or "header:NAME"',
  (written) => {
    const header = /^header:(.+)$/i.exec(written)?.[1]?.trim();
    if (header !== undefined) {
      const named = headerName.read({
        value: header,
        text: header,
        quoted: true,
        position: { file: '', line: 0, column: 0 },
      });
      return named.ok ? ok({ kind: 'header', header: header.toLowerCase() }) : fail(undefined);
    }
    const plain = written.toLowerCase().replaceAll('_', '-');
    return Object.hasOwn(plainKeys, plain) ? ok(plainKeys[plain]!) : fail(undefined);
  },
);

/** The four header edits, as fields to be used in any block. */
export const headerEditFields = {
  rename: headerPairs('rename', { doc: 'old name and new name; runs first' }),
  set: headerPairs('set', { doc: 'replaces every header of that name; runs second' }),
  add: headerPairs('add', { doc: 'adds a header beside those of that name; runs third' }),
  remove: list('remove', headerName, { doc: 'removes every header of that name; runs last' }),
};

/** What {@link headerEditFields} read, as the model has it. */
export function toHeaderEdits(values: {
  readonly rename: readonly HeaderValue[];
  readonly set: readonly HeaderValue[];
  readonly add: readonly HeaderValue[];
  readonly remove: readonly string[];
}): HeaderEdits {
  const rename = values.rename.map(({ name, value }) => ({ from: name, to: value }));
  return { rename, set: values.set, add: values.add, remove: values.remove };
}

/** `circuit-breaker`, of upstreams and agents. */
export const circuitBreaker: Block<CircuitBreakerConfig> = block(
  {
    failureThreshold: setting('failure-threshold', integer({ min: 1 }), {
      default: 5,
      doc: 'failures in a row that open the circuit',
    }),
    successThreshold: setting('success-threshold', integer({ min: 1 }), {
      default: 2,
      doc: 'successes in a row that close it again',
    }),
    openMs: setting('timeout-seconds', duration('seconds', { min: 1 }), {
      default: 30,
      aliases: ['timeout-secs'],
      doc: 'how long it stays open before it is tried again',
    }),
    halfOpenMaxRequests: setting('half-open-max-requests', integer({ min: 1 }), {
      default: 1,
      doc: 'requests let through at once while it is tried',
    }),
  },
  { unknown: 'error' },
);

/** How a server is reached over TLS, as fields to be used in any block. */
export const clientTlsFields = {
  sni: optional('sni', word, { doc: 'the server name asked for; without it the host of the address' }),
  insecureSkipVerify: setting('insecure-skip-verify', flag, {
    default: false,
    aliases: ['tls-insecure'],
    doc: 'accept any certificate; for tests only',
  }),
  clientCertFile: optional('client-cert', word, { doc: 'certificate shown to the server' }),
  clientKeyFile: optional('client-key', word, { doc: 'key of that certificate' }),
  caCertFile: optional('ca-cert', word, {
    doc: 'authorities that vouch for the server; without it those of the system',
  }),
};

/** `tls` of an upstream or agent. */
export const clientTls: Block<ClientTlsConfig> = block(clientTlsFields, {}, (values, node, reader) => {
  if ((values.clientCertFile === undefined) !== (values.clientKeyFile === undefined)) {
    reader.error('missing', 'client-cert and client-key belong together', node.position);
  }
  return values;
});
