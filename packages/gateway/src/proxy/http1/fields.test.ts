import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nameTable } from '../headers/name-table.ts';
import { ReadEnd, ReceivedFields, isFieldValue, isToken, listHas, readFields } from './fields.ts';

const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}$/);
const value = fc.stringMatching(/^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,20}[!-~\x80-\xff])?)?$/);
const space = fc.stringMatching(/^[ \t]{0,3}$/);

describe('fields', () => {
  it('are what was written, without the whitespace around values', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(token, space, value, space)), (lines) => {
        const text = `${lines.map(([name, before, own, after]) => `${name}:${before}${own}${after}\r\n`).join('')}\r\n`;
        const fields: string[] = [];
        expect(readFields(`xx${text}rest`, 2, fields)).toBe(text.length + 2);
        expect(fields).toEqual(lines.flatMap(([name, , own]) => [name, own]));
      }),
    );
  });

  it('with any other character are refused or are those that were written', () => {
    // One character anywhere in a head of two fields: it belongs to a name or a value as it stands, or everything is refused.
    const text = 'X-A: b c\r\nY: d\r\n\r\n';
    for (let at = 0; at < text.length; at++) {
      for (let code = 0; code < 256; code++) {
        const spoilt = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        const fields: string[] = [];
        const end = readFields(spoilt, 0, fields);
        if (end === ReadEnd.BROKEN) continue;
        for (let index = 0; index < fields.length; index += 2) {
          expect(isToken(fields[index]!) && isFieldValue(fields[index + 1]!)).toBe(true);
        }
        // What was read, written again, is the same but for whitespace around values.
        const again = fields.flatMap((part, index) => (index % 2 === 0 ? [`${part}:${fields[index + 1]}`] : []));
        const lines = spoilt.split('\r\n').map((line) => line.replace(/^([^:]*):[ \t]*/, '$1:').replace(/[ \t]+$/, ''));
        expect([spoilt, lines.slice(0, again.length)]).toEqual([spoilt, again]);
      }
    }
  });

  it('with a tab behind a transfer coding are refused: not everybody would see the coding', () => {
    for (const line of ['Transfer-Encoding: chunked\t', 'transfer-encoding:chunked \t ', 'TRANSFER-ENCODING: x\t']) {
      expect([line, readFields(`${line}\r\n\r\n`, 0, [])]).toEqual([line, ReadEnd.BROKEN]);
    }
    for (const line of ['Transfer-Encoding:\tchunked ', 'X-ransfer-Encoding: x\t', 'Content-Length: 3\t']) {
      expect([line, readFields(`${line}\r\n\r\n`, 0, [])]).toEqual([line, line.length + 4]);
    }
  });

  it('are told apart as those that pass and those that may be special, and none is lost', () => {
    const specials = nameTable(['connection', 'x-y', 'proxy-*']);
    const name = fc.oneof(
      token,
      fc.constantFrom(
        'Connection',
        'CONNECTION',
        'X-Y',
        'x-z',
        'Proxy-A',
        'proxy-',
        'Proxy',
        `proxy-${'x'.repeat(40)}`,
      ),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (lines) => {
        const text = `${lines.map(([own, text]) => `${own}: ${text}\r\n`).join('')}\r\n`;
        const received = new ReceivedFields(text, 0);
        expect(readFields(text, 0, undefined, received, specials)).toBe(text.length);
        const passing: string[] = [];
        expect(readFields(`${received.passing}\r\n`, 0, passing)).toBeGreaterThan(0);
        const isSpecial = (own: string): boolean => /^(?:connection$|x-y$|proxy-)/i.test(own);
        for (let at = 0; at < passing.length; at += 2) expect(isSpecial(passing[at]!)).toBe(false);
        expect(received.all).toEqual(lines.flat());
        // Both keep the order among themselves, and together they are all.
        const pairs = (list: readonly string[]): string[] =>
          list.flatMap((own, at) => (at % 2 === 0 ? [`${own}: ${list[at + 1]}`] : []));
        expect([...pairs(passing), ...pairs(received.specials)].toSorted()).toEqual(pairs(lines.flat()).toSorted());
        expect(
          pairs(lines.flat())
            .filter((line) => isSpecial(line.split(':')[0]!))
            .join('\n'),
        ).toBe(
          pairs(received.specials)
            .filter((line) => isSpecial(line.split(':')[0]!))
            .join('\n'),
        );
      }),
    );
  });
});

describe('names and values', () => {
  it('have no characters that could end them, nor any that one byte cannot hold', () => {
    for (let code = 0; code < 0x300; code++) {
      const character = String.fromCharCode(code);
      expect([code, isToken(character)]).toEqual([code, /^[!#$%&'*+.^_`|~0-9A-Za-z-]$/.test(character)]);
      expect([code, isFieldValue(`a${character}b`)]).toEqual([code, /^[\t\x20-\x7e\x80-\xff]$/.test(character)]);
    }
    expect([isToken(''), isFieldValue('')]).toEqual([false, true]);
  });
});

describe('lists', () => {
  it('have the members between their commas', () => {
    for (const list of ['close', 'CLOSE', ' close', 'a,close', 'close,a', 'a, Close ,b', ',close,', '\tclose\t']) {
      expect([list, listHas(list, 'close')]).toEqual([list, true]);
    }
    for (const list of [
      '',
      'clos',
      'closed',
      'close;a',
      'close a',
      'a close',
      '"close"',
      'clos,e',
      'a,\xa0close',
      'close\xa0',
    ]) {
      expect([list, listHas(list, 'close')]).toEqual([list, false]);
    }
  });
});
