import { IncomingMessage } from 'node:http';
import { constants } from 'node:http2';
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

/** All that Node has a constant for: among them are all it treats in a special way. */
const names = Object.entries(constants)
  .filter(([key, text]) => key.startsWith('HTTP2_HEADER_') && !String(text).startsWith(':'))
  .map(([, text]) => String(text));
const name = fc.oneof(
  fc.constantFrom(...names),
  fc.constantFrom(...names).map((own) => own.toUpperCase()),
  fc.stringMatching(/^[A-Za-z0-9-]{1,10}$/),
);
const value = fc.stringMatching(/^[ -~]{0,8}$/);

describe('fields by name', () => {
  it.each(names)('are what node:http makes of them when %s is repeated', (name) => {
    const fields = [name, 'a', name, 'b'];
    expect({ ...fieldsByName(fields) }).toEqual({ ...nodeHeaders(fields) });
  });

  it('are what node:http makes of them, whichever there are', () => {
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
