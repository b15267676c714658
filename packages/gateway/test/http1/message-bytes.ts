// Makes HTTP/1.1 messages by their grammar, with the spellings of framing that parsers have disagreed about.
import { METHODS } from 'node:http';
import { mutated } from './bytes.ts';
import type { Chance } from './bytes.ts';

const lengths = [
  '+3',
  '-3',
  '0x3',
  '3,3',
  '3, 4',
  ' 3 ',
  '03',
  '3 3',
  '3\t',
  '',
  '99999999999999999',
  '99999999999999999999',
  '18446744073709551619',
  '1e0',
  '3;a',
  'three',
  '\x0b3',
];
const codings = [
  'Chunked',
  'CHUNKED',
  'chunked ',
  '\tchunked',
  'gzip, chunked',
  'chunked, gzip',
  'chunked,chunked',
  'identity',
  'xchunked',
  'chunkedx',
  'chunked;q=1',
  '"chunked"',
  '\x0bchunked',
  '',
  'chunked,',
  ',chunked',
  'gzip',
];
const connections = [
  'close',
  'Close',
  'keep-alive',
  'Keep-Alive',
  'keep-alive, close',
  'close, keep-alive',
  'x-a',
  'close,x-a',
  'x-a , close',
  'closed',
  'clos',
  'keep-alive;close',
  'close;a',
  '',
  ',',
  ', close',
  'close,',
  '\tclose',
  'close\t',
  'close close',
  'upgrade',
  'TE, close',
  'Transfer-Encoding',
  'Host',
  'Content-Length, close',
  'x-a,\xa0keep-alive',
  'keep-alive\xa0',
];
const extensions = [
  ';a',
  ';a=b',
  ';a="b c"',
  ';a="\\""',
  ';a="',
  ';a=',
  ';',
  ';;',
  ' ;a',
  ';a =b',
  '; a=b',
  ';a=b;c',
  ';a="\x80"',
  ';a=\r',
  ';a="\n"',
  ' ',
  '\t',
  ';a="b"c',
];

function framingName(name: string, chance: Chance): string {
  return chance.usually(12, name, [
    name.toLowerCase(),
    name.toUpperCase(),
    ` ${name}`,
    `${name} `,
    `${name}\t`,
    `${name}\0`,
    `X${name}`,
    name.slice(1),
    name.replace('-', '_'),
  ]);
}

/** A field of no consequence, nearly always right. */
function plainField(chance: Chance): string {
  const name = chance.usually(
    15,
    chance.pick(['X-A', 'x-b', 'Accept', 'Cookie', 'User-Agent', 'TE', 'Trailer', "!#$%&'*+-.^_`|~9"]),
    ['X A', 'X(A)', '', 'X\x80', 'X:A', '\tX', '__proto__'],
  );
  const value = chance.usually(6, chance.pick(['b', 'b c', '', '"q"', 'a, b', '; :', 'text/html;q=0.5']), [
    '\xe4\xff',
    'a\tb',
    '  b  ',
    '\tb\t',
    'a\0b',
    'a\rb',
    'a\nb',
    'a\x01b',
    'a\x7fb',
    'b\r\n c',
    '\r\n b',
    'é'.repeat(3),
  ]);
  return `${name}:${chance.usually(8, ' ', ['', '  ', '\t', ' \t '])}${value}\r\n`;
}

/** A chunked body with extensions and trailers. */
export function chunkedBody(chance: Chance): string {
  let text = '';
  for (let left = chance.below(4); left > 0; left--) {
    const data = 'data\r\nand more'.slice(0, 1 + chance.below(14));
    const size = chance.usually(15, data.length.toString(16), [
      data.length.toString(16).toUpperCase().padStart(4, '0'),
      `+${data.length}`,
      `-${data.length}`,
      `0x${data.length}`,
      '',
      'g',
      (data.length + 1).toString(16),
      (data.length - 1).toString(16),
      data.length.toString(16).padStart(14, '0'),
      'fffffffffffffffff',
      '10000000000000',
    ]);
    const extension = chance.usually(6, '', extensions);
    text += `${size}${extension}\r\n${data}${chance.usually(20, '\r\n', ['\n', '', '\r', ' \r\n', 'x\r\n'])}`;
  }
  const trailers = chance.oneIn(3) ? chance.list(1 + chance.below(2), () => plainField(chance)).join('') : '';
  return `${text}${chance.usually(20, '0', ['00', '000000', '0;a=b', '0 ', '', '-0'])}\r\n${trailers}\r\n`;
}

interface Framed {
  readonly fields: string[];
  readonly body: string;
}

/** Fields that say where a body ends, and the body; mostly, but not always, in accord. */
function framed(chance: Chance): Framed {
  const length = 'Content-Length';
  const coding = 'Transfer-Encoding';
  switch (chance.below(8)) {
    case 0:
    case 1:
      return { fields: [], body: '' };
    case 2:
    case 3: {
      const body = 'x'.repeat(chance.below(6));
      const value = chance.usually(8, String(body.length), lengths);
      return { fields: [`${framingName(length, chance)}: ${value}\r\n`], body };
    }
    case 4:
    case 5:
    case 6: {
      const value = chance.usually(8, 'chunked', codings);
      return { fields: [`${framingName(coding, chance)}: ${value}\r\n`], body: chunkedBody(chance) };
    }
    default: {
      const lines = [
        `${length}: ${chance.usually(2, '3', lengths)}\r\n`,
        `${coding}: ${chance.usually(2, 'chunked', codings)}\r\n`,
      ];
      const fields = chance.list(2 + chance.below(2), () => chance.pick(lines));
      return { fields, body: chance.oneIn(2) ? 'abc' : chunkedBody(chance) };
    }
  }
}

function shuffled(fields: string[], chance: Chance): string[] {
  return fields
    .map((field) => ({ field, at: chance.below(1000) }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ field }) => field);
}

function otherFields(chance: Chance): string[] {
  const fields = chance.list(chance.below(4), () => plainField(chance));
  if (chance.oneIn(4)) fields.push(`${framingName('Connection', chance)}: ${chance.pick(connections)}\r\n`);
  if (chance.oneIn(20)) fields.push(`Connection: ${chance.pick(connections)}\r\n`);
  return fields;
}

/** One request. */
export function requestText(chance: Chance): string {
  const method = chance.usually(8, chance.pick(['GET', 'POST', 'PUT']), [
    'HEAD',
    'OPTIONS',
    'DELETE',
    'CONNECT',
    'PRI',
    'get',
    'GETX',
    'G',
    '',
    ...METHODS,
  ]);
  const target = chance.usually(8, chance.pick(['/', '/a/b?c=d', '/x']), [
    '*',
    'http://a.test/x',
    'HTTP://a.test',
    'a.test:443',
    '/a%20b',
    '/a#b',
    '/\xe4',
    '/a b',
    '',
    '/"<>\\^`{|}',
    '//a',
    '?a',
    '/..',
    '/\x7f',
    '/\t',
    'http://[::1]:80/',
    'http://u@a.test/',
    '/a/..',
  ]);
  const version = chance.usually(10, 'HTTP/1.1', [
    'HTTP/1.0',
    'HTTP/1.0',
    'HTTP/1.2',
    'HTTP/2.0',
    'HTTP/0.9',
    'http/1.1',
    'HTTP/1.1 ',
    'HTTP/11',
    'HTTP/01.1',
    'HTTP/1.01',
    'ICE/1.0',
    'RTSP/1.0',
    '',
    'HTTPS/1.1',
  ]);
  const { fields, body } = framed(chance);
  const others = otherFields(chance);
  if (!chance.oneIn(25))
    others.unshift(
      `${framingName('Host', chance)}: ${chance.usually(20, 'a.test', ['a.test:80', '', 'a b', 'a/b', 'a,b', '[::1]', 'u@a'])}\r\n`,
    );
  if (chance.oneIn(40)) others.push('Host: b.test\r\n');
  if (chance.oneIn(20))
    others.push(`Expect: ${chance.pick(['100-continue', '100-Continue', 'magic', '', '100-continue, x'])}\r\n`);
  if (chance.oneIn(20))
    others.push('Connection: Upgrade\r\n', `Upgrade: ${chance.pick(['websocket', 'h2c', 'WebSocket'])}\r\n`);
  const gap = chance.usually(25, ' ', ['  ', '\t', '']);
  const before = chance.usually(25, '', ['\r\n', '\r\n\r\n', '\n', '\r', ' ']);
  return `${before}${method}${gap}${target} ${version}\r\n${shuffled([...others, ...fields], chance).join('')}\r\n${body}`;
}

/** What one connection of a client may carry: requests, some of them spoilt. */
export function requestStream(chance: Chance): string {
  const texts = chance.list(1 + chance.below(3), () => requestText(chance));
  return spoilt(texts.join(''), chance);
}

function spoilt(text: string, chance: Chance): string {
  let result = text;
  for (let left = chance.oneIn(2) ? 0 : 1 + chance.below(3); left > 0; left--) result = mutated(result, chance);
  return chance.oneIn(12) ? result.slice(0, chance.below(result.length + 1)) : result;
}

/** One response, interim or final. */
function responseText(chance: Chance, status: string): string {
  const version = chance.usually(8, 'HTTP/1.1', [
    'HTTP/1.0',
    'HTTP/1.0',
    'HTTP/1.2',
    'HTTP/2.0',
    'http/1.1',
    'HTTP/0.9',
    'ICY',
    'HTTP/1.1 ',
  ]);
  const phrase = chance.usually(6, ' OK', [
    '',
    ' ',
    ' Not  Found',
    ' \xe4',
    ' a\tb',
    ' a\0b',
    ' a\x01b',
    '\t',
    ' \x7f',
    '  OK',
    'OK',
  ]);
  const { fields, body } = framed(chance);
  const others = otherFields(chance);
  if (chance.oneIn(20))
    others.push(`Keep-Alive: ${chance.pick(['timeout=5', 'timeout=5, max=10', 'max=1', 'timeout=', 'timeout=0'])}\r\n`);
  if (chance.oneIn(40)) others.push('Connection: Upgrade\r\n', 'Upgrade: websocket\r\n');
  const interim = status.startsWith('1');
  return `${version} ${status}${phrase}\r\n${shuffled([...others, ...(interim && !chance.oneIn(20) ? [] : fields)], chance).join('')}\r\n${interim ? '' : body}`;
}

const statuses = [
  '201',
  '301',
  '404',
  '500',
  '204',
  '304',
  '205',
  '999',
  '99',
  '20',
  '0200',
  '2x0',
  '600',
  '',
  '000',
  '+20',
  '101',
];

/** What an upstream may answer to one request. */
export function responseStream(chance: Chance): string {
  let text = '';
  while (chance.oneIn(6)) text += responseText(chance, chance.pick(['100', '103', '102', '199', '103']));
  text += responseText(chance, chance.usually(4, '200', statuses));
  if (chance.oneIn(15)) text += responseText(chance, '200');
  return spoilt(text, chance);
}
