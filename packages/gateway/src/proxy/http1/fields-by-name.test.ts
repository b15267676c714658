import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fieldsByName } from './fields-by-name.ts';

/** The same fields as `node:http` has them. */
function nodeHeaders(fields: readonly string[]): IncomingMessage['headers'] {
  const message = new IncomingMessage(new Socket());
  message.rawHeaders = [...fields];
  // What its parser calls; headers are made of the raw ones.
  const add: unknown = Reflect.get(message, '_addHeaderLines');
  if (typeof add !== 'function') throw new Error('node:http has no way to take header lines any more');
  Reflect.apply(add, message, [[...fields], fields.length]);
  return message.headers;
}

const names = [
  'age',
  'authorization',
  'content-length',
  'content-type',
  'etag',
  'expires',
  'from',
  'host',
  'if-modified-since',
  'if-unmodified-since',
  'last-modified',
  'location',
  'max-forwards',
  'proxy-authorization',
  'referer',
  'retry-after',
  'server',
  'user-agent',
  'cookie',
  'set-cookie',
  'accept',
  'x-forwarded-for',
  'vary',
  'connection',
  'date',
  'x',
];
const name = fc.oneof(
  fc.constantFrom(...names),
  fc.constantFrom(...names).map((own) => own.toUpperCase()),
  fc.stringMatching(/^[A-Za-z0-9-]{1,10}$/),
);
const value = fc.stringMatching(/^[ -~]{0,8}$/);

describe('fields by name', () => {
  it('are what node:http makes of them', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (lines) => {
        const fields = lines.flat();
        expect({ ...fieldsByName(fields) }).toEqual({ ...nodeHeaders(fields) });
      }),
      { numRuns: 1000 },
    );
  });

  it('cannot reach what all objects have', () => {
    const fields = fieldsByName(['__proto__', 'a', 'constructor', 'b', 'toString', 'c']);
    expect(Object.keys(fields).toSorted()).toEqual(['__proto__', 'constructor', 'tostring']);
    expect(fieldsByName([])['tostring']).toBeUndefined();
    expect(fieldsByName([])['constructor']).toBeUndefined();
  });
});
