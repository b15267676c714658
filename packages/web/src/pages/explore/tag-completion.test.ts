import { describe, expect, it } from 'vitest';
import { completeKey, completeValue, valuesKey, wordAtCursor } from './tag-completion.ts';

const at = (text: string) => wordAtCursor(text.replace('|', ''), text.indexOf('|'));

describe('completion in the tags box', () => {
  it.each([
    ['|', { kind: 'key', prefix: '' }],
    ['http.m|', { kind: 'key', prefix: 'http.m' }],
    ['a=1 http.m|', { kind: 'key', prefix: 'http.m', start: 4 }],
    ['!err|', { kind: 'key', prefix: 'err' }],
    ['http.method=|', { kind: 'value', key: 'http.method', prefix: '' }],
    ['http.method=GE|T x=1', { kind: 'value', key: 'http.method', prefix: 'GE', start: 12, end: 15 }],
    ['host="a b|', { kind: 'value', key: 'host', prefix: 'a b' }],
    ['retries>=|', { kind: 'value', key: 'retries', prefix: '' }],
    ['htt|p.method=GET', { kind: 'key', prefix: 'htt' }],
  ])('knows what is being typed in %s', (text, expected) => {
    expect(at(text)).toMatchObject(expected);
  });

  it('puts a key before its comparison and keeps the rest', () => {
    const text = 'htt x=1';
    const word = wordAtCursor(text, 3);
    const entry = { key: 'http.method', scope: 'span', types: ['string'] } as const;
    expect(completeKey(text, word, entry).text).toBe('http.method= x=1');
    expect(completeKey(text, word, { ...entry, key: 'host.name', scope: 'resource' }).value).toBe('resource.host.name');
  });

  it('quotes a value that needs it, so that reading gives the same type', () => {
    const text = 'zip=0';
    const word = wordAtCursor(text, 5);
    expect(completeValue(text, word, { type: 'string', text: '01234' }).text).toBe('zip="01234" ');
    expect(completeValue(text, word, { type: 'number', text: '500' }).text).toBe('zip=500 ');
    expect(completeValue(text, word, { type: 'string', text: 'a b' }).text).toBe('zip="a b" ');
  });

  it('asks for values with the scope the key was written with', () => {
    expect(valuesKey('resource.host.name')).toBe('resource.host.name');
    expect(valuesKey('.http.method')).toBe('http.method');
  });
});
