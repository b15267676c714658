import { describe, expect, it } from 'vitest';
import { expandTree } from './expand.ts';
import { nodeAt, toPlainValue } from './node.ts';
import { formatProblem } from './problem.ts';
import { parseYaml } from './yaml.ts';

const env: Readonly<Record<string, string>> = {
  NAME: 'value',
  EMPTY: '',
  NUMBER: '0123',
  HEX: '0xdeadbeef',
  TRUE: 'true',
  QUOTED: '"quoted"',
  LIST: '[a, b]',
  MAP: '{k: "${NAME}"}',
  LOOP: '${LOOP}',
  SELECT: 'ME',
  A_ME: 'nested',
  DOLLARS: 'pa$$word$x',
  BROKEN: '"unclosed',
};
const files: Readonly<Record<string, string>> = { token: 'sesame\n', 'part.yaml': 'inner:\n  deep: ${NAME}\n' };

async function expand(value: string) {
  const parsed = parseYaml(`key: ${value}`, 'c.yaml');
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'));
  const readFile = (path: string) =>
    files[path] === undefined ? Promise.reject(new Error('gone')) : Promise.resolve(files[path]);
  const { root, problems } = await expandTree(parsed.root, { env, readFile });
  const node = nodeAt(root, ['key'])!;
  return { node, value: toPlainValue(node), problems: problems.map(formatProblem) };
}

describe('expandTree, on what is wrong', () => {
  it.each([
    ['${1BAD}', 'environment variable "1BAD" has invalid name: must match regex ^[a-zA-Z_][a-zA-Z0-9_]*$'],
    ['${gopher:x}', 'scheme "gopher" is not supported for uri "gopher:x"'],
    ['${file:gone}', 'unable to read the file gone: gone'],
    ['${LOOP}', 'too many recursive expansions'],
    ['a ${LOOP}', 'too many recursive expansions'],
    ['${env:A$B}', `the uri "env:A$B" contains unsupported characters ('$')`],
    ['text ${LIST}', 'is a list and can only be used as a whole value'],
  ])('refuses %s', async (text, message) => {
    const { problems } = await expand(text);
    expect(problems).toEqual([expect.stringContaining(message)]);
    expect(problems[0]).toMatch(/^c\.yaml:1:6/);
  });

  it('warns of a variable that is not set and counts it as empty', async () => {
    const whole = await expand('${MISSING}');
    expect(whole.value).toBeNull();
    expect(whole.problems).toEqual([expect.stringContaining('environment variable "MISSING" is not set')]);
    expect((await expand('a${MISSING}b')).value).toBe('ab');
  });
});

describe('expandTree', () => {
  it.each([
    ['${NAME}', 'value'],
    ['${env:NAME}', 'value'],
    ['${EMPTY:-other}', null],
    ['${MISSING:-other}', 'other'],
    ['${MISSING:-}', null],
    ['${env:MISSING:-http://x:1}', 'http://x:1'],
    ['"a${NAME}c"', 'avaluec'],
    ['$NAME', '$NAME'],
    ['$${NAME}', '${NAME}'],
    ['$$${NAME}', '$value'],
    ['a$$b', 'a$b'],
    ['"${unclosed"', '${unclosed'],
    ['${A_${SELECT}}', 'nested'],
    ['${env:A_${env:SELECT}}', 'nested'],
    ['${MISSING:-${NAME}}', 'value'],
    ['${DOLLARS}', 'pa$$word$x'],
    ['x${DOLLARS}', 'xpa$$word$x'],
    ['${BROKEN}', '"unclosed'],
    ['${QUOTED}', '"quoted"'],
    ['${LIST}', ['a', 'b']],
    ['${MAP}', { k: 'value' }],
    ['${yaml:[1, two]}', [1, 'two']],
    ['${file:token}', 'sesame'],
    ['Bearer ${file:token}!', 'Bearer sesame!'],
    ['${file:part.yaml}', { inner: { deep: 'value' } }],
  ])('makes of %s what the reference makes of it', async (text, expected) => {
    const { value, problems } = await expand(text);
    expect(problems).toEqual([]);
    expect(value).toEqual(expected);
  });

  it('types a whole value and remembers its text', async () => {
    expect((await expand('${NUMBER}')).node).toMatchObject({ value: 83, text: '0123' });
    expect((await expand('${HEX}')).node).toMatchObject({ value: 0xdeadbeef, text: '0xdeadbeef' });
    expect((await expand('${TRUE}')).node).toMatchObject({ value: true, text: 'true' });
    expect((await expand('a${NUMBER}')).value).toBe('a0123');
  });

  it('keeps where a value was used and what it came from; a file has lines of its own', async () => {
    expect((await expand('${NAME}')).node.position).toEqual({
      source: 'c.yaml',
      line: 1,
      column: 6,
      via: ['env:NAME'],
    });
    const { node } = await expand('${file:part.yaml}');
    expect(nodeAt(node, ['inner', 'deep'])?.position).toEqual({
      source: 'file:part.yaml',
      line: 2,
      column: 9,
      via: ['env:NAME'],
    });
  });
});
