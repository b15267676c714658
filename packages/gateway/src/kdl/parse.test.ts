import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxFileCharacters, parseKdl } from './parse.ts';
import type { KdlNode } from './node.ts';
import { formatPosition } from './position.ts';

/** Errors and warnings as `severity line:column message | help`. */
function problemsOf(text: string): string[] {
  return parseKdl(text, 'f').problems.map(({ severity, message, position, help }) => {
    const place = position === undefined ? '' : formatPosition(position).slice(2);
    return `${severity} ${place} ${message}${help === undefined ? '' : ` | ${help}`}`;
  });
}

describe('parseKdl, on what is not KDL', () => {
  it.each([
    [
      'agents ["a", "b"]',
      'error 1:8 KDL has no lists in brackets | write the values one after another: agents "a" "b"',
    ],
    [
      'a {\n  events []\n}',
      'error 2:10 KDL has no lists in brackets | write the values one after another: events "a" "b"',
    ],
    [
      'path-regex r"^/x\\d"',
      'error 1:12 KDL 1 spelling of a raw string | KDL 2 writes raw strings as #"…"# without the r; a backslash needs no escape between them',
    ],
    [
      'p r#"a"#',
      'error 1:2 KDL 1 spelling of a raw string | KDL 2 writes raw strings as #"…"# without the r; a backslash needs no escape between them',
    ],
    [
      'max 10MB',
      'error 1:5 "10MB" is neither a number nor text | values with a unit are written between quotes: "10MB"',
    ],
    [
      'x\n\n\ta 5s',
      'error 3:4 "5s" is neither a number nor text | values with a unit are written between quotes: "5s"',
    ],
    [
      'level = "info"',
      'error 1:7 a setting and its value are separated by a space, not by = | write level and then the value, such as: level "value"',
    ],
    ['a inf', 'error 1:3 inf is a keyword and cannot stand alone | write #inf for the value, or "inf" for text'],
    ['true 1', 'error 1:1 true is a keyword and cannot be a name | write "true" if that is the name you mean'],
    ['system {\n  x 1\n', 'error 1:8 a block is opened and never closed | add the missing }'],
    ['a {\n  b {\n  }\n', 'error 1:3 a block is opened and never closed | add the missing }'],
    ['x "}" {\n // {\n', 'error 1:7 a block is opened and never closed | add the missing }'],
    ['a "x\nb 1', 'error 1:3 a string is opened and never closed | close it with " on the line where it begins'],
    ['a "\\"x', 'error 1:3 a string is opened and never closed | close it with " on the line where it begins'],
    ['a 1\n}', 'error 2:1 this } closes no block | remove it, or add the { that is missing before it'],
    [
      'a { } b { }',
      'error 1:7 something follows a block on its line | begin the next node on a new line, or put a ; after the }',
    ],
    [
      'a { b { } c 1 }',
      'error 1:11 something follows a block on its line | begin the next node on a new line, or put a ; after the }',
    ],
    ['a #True', 'error 1:3 Invalid keyword #True, keywords are case sensitive, write #true instead'],
    ['a "\\q"', 'error 1:3 Invalid escape "\\q"'],
    ['/* a', 'error 1:5 Unexpected EOF in multiline comment'],
  ])('explains %j', (text, expected) => {
    expect(problemsOf(text)).toEqual([expected]);
    expect(parseKdl(text, 'f').nodes).toEqual([]);
  });

  it('shows the line with those around it and a caret below the place', () => {
    const [problem] = parseKdl('one\n\ttwo ["x"]\nthree\nfour', 'f').problems;
    expect(problem?.excerpt).toBe('1 | one\n2 | \ttwo ["x"]\n  | \t    ^\n3 | three');
  });

  it('shows a part of a line that is long, and no control characters', () => {
    const [problem] = parseKdl(`a ${'x '.repeat(500)}[\u0007`, 'f').problems;
    expect(problem?.position?.column).toBe(1003);
    const [line, caret] = problem!.excerpt!.split('\n');
    expect(line!.length).toBeLessThan(180);
    expect(line![caret!.indexOf('^')]).toBe('[');
    expect(problem?.excerpt).not.toContain('\u0007');
  });

  it('reports at most twenty errors of one file', () => {
    expect(problemsOf('a "\\q"\n'.repeat(100))).toHaveLength(20);
  });

  it('refuses what is too large or nested too deeply', () => {
    expect(problemsOf('x'.repeat(maxFileCharacters + 1))).toEqual([
      expect.stringContaining('more than the 4194304 allowed'),
    ]);
    const deep = (levels: number) => `${'a {\n'.repeat(levels)}${'}\n'.repeat(levels)}`;
    expect(problemsOf(deep(64))).toEqual([]);
    expect(problemsOf(deep(65))).toEqual([expect.stringContaining('error 65:1 blocks lie more than 64 deep')]);
    expect(problemsOf(deep(100_000))).toEqual([expect.stringContaining('blocks lie more than 64 deep')]);
  });
});

describe('parseKdl, on KDL 1 spelling', () => {
  it('accepts bare keywords as values, with one warning that names the lines', () => {
    const text = 'a true x=false\nb {\n  c null; d true\n}\ne #true';
    const { nodes, problems } = parseKdl(text, 'f');
    expect(problems).toEqual([
      {
        severity: 'warning',
        code: 'kdl1_spelling',
        message: 'KDL 1 spelling true; write #true; also on line 3',
        position: { file: 'f', line: 1, column: 3 },
      },
    ]);
    expect(nodes[0]?.arguments[0]?.value).toBe(true);
    expect(nodes[0]?.properties[0]?.value.value).toBe(false);
    expect(nodes[1]?.children[0]?.arguments[0]?.value).toBeNull();
  });

  it('keeps places as they are in the file', () => {
    const { nodes } = parseKdl('a true "x" true "y"\nb 1', 'f');
    const columns = nodes[0]?.arguments.map(({ position }) => position.column);
    expect(columns).toEqual([3, 8, 12, 17]);
    expect(nodes[1]?.position).toEqual({ file: 'f', line: 2, column: 1 });
    expect(problemsOf('a true\nb true [1]')).toEqual([expect.stringContaining('error 2:8 KDL has no lists')]);
  });

  it('lists only the first lines of many', () => {
    expect(problemsOf('a true\n'.repeat(30))).toEqual([
      'warning 1:3 KDL 1 spelling true; write #true; also on lines 2, 3, 4, 5, 6, 7, 8, 9 and 21 more',
    ]);
  });
});

describe('parseKdl, on KDL 2', () => {
  it('reads every form of the language that configurations use', () => {
    const text = `\uFEFF// comment
node "quoted \\u{e9}\\n" bare 1_000 0x10 0o17 0b11 1.5e3 -2 #true #null key="v" /- hidden {
  /- gone 1
  child; "quoted name" 1
  raw #"a\\b"#
  multi """
    two
      lines
    """
  continued \\
    5 /* c /* nested */ */ 6
}
last #-inf (type)"t"`;
    const { nodes, problems } = parseKdl(text, 'f');
    expect(problems).toEqual([]);
    expect(nodes.map(({ name }) => name)).toEqual(['node', 'last']);
    const [node] = nodes;
    expect(node!.arguments.map(({ value }) => value)).toEqual([
      'quoted é\n',
      'bare',
      1000,
      16,
      15,
      3,
      1500,
      -2,
      true,
      null,
    ]);
    expect(node!.properties).toMatchObject([{ name: 'key', value: { value: 'v' } }]);
    expect(node!.children.map(({ name, arguments: values }) => [name, ...values.map(({ value }) => value)])).toEqual([
      ['child'],
      ['quoted name', 1],
      ['raw', 'a\\b'],
      ['multi', 'two\n  lines'],
      ['continued', 5, 6],
    ]);
    expect(nodes[1]!.arguments.map(({ value }) => value)).toEqual([-Infinity, 't']);
  });

  it('knows which values can hold variables', () => {
    const { nodes } = parseKdl('a "q" bare #"raw"# """\n  m\n  """', 'f');
    expect(nodes[0]?.arguments.map(({ quoted }) => quoted)).toEqual([true, false, false, true]);
  });

  it('counts lines by every line break of the language and columns in UTF-16', () => {
    const { nodes } = parseKdl('a\r\nb\rc\u2028d\u0085  "😀" e', 'f');
    expect(nodes.map(({ name, position }) => [name, position.line, position.column])).toEqual([
      ['a', 1, 1],
      ['b', 2, 1],
      ['c', 3, 1],
      ['d', 4, 1],
      ['😀', 5, 3],
    ]);
    expect(nodes.at(-1)?.arguments[0]?.position.column).toBe(8);
  });
});

/** Pieces that mean something in KDL, in its first version, or to a decoder. */
const pieces = fc.constantFrom(
  ...'{ } " \\ # #" "# """ /- /* */ // ; = ( ) [ a true #true null 1 0x - _ . r" ${A} inf inf# 😀'.split(' '),
  ' ',
  '\n',
  '\r\n',
  '\u2028',
  '\u0000',
  '\uFEFF',
  '\ud800',
);

/** Nodes as text, without anything but what they hold. */
function print(node: KdlNode): string {
  const entries = [
    ...node.arguments.map(({ value }) => scalarText(value)),
    ...node.properties.map(({ name, value }) => `${JSON.stringify(name)}=${scalarText(value.value)}`),
  ];
  const inside = node.children.length === 0 ? '' : ` {\n${node.children.map(print).join('\n')}\n}`;
  return [JSON.stringify(node.name), ...entries].join(' ') + inside;
}

function scalarText(value: string | number | boolean | null): string {
  return typeof value === 'string' ? JSON.stringify(value) : typeof value === 'number' ? String(value) : `#${value}`;
}

/** Nodes without their places. */
function bare(node: KdlNode): object {
  return {
    name: node.name,
    values: node.arguments.map(({ value }) => value),
    properties: node.properties.map(({ name, value }) => [name, value.value]),
    children: node.children.map(bare),
  };
}

describe('parseKdl, whatever the text', () => {
  it('gives nodes or an error, and a place inside the text for every problem', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(pieces, fc.string({ maxLength: 3, unit: 'binary' })), { maxLength: 24 }),
        (parts) => {
          const text = parts.join('');
          const { nodes, problems } = parseKdl(text, 'f');
          const failed = problems.some(({ severity }) => severity === 'error');
          if (failed) expect(nodes).toEqual([]);
          for (const { position, message } of problems) {
            expect(message).not.toBe('');
            expect(message).not.toContain('bug in the KDL parser');
            expect(position!.line).toBeLessThanOrEqual(text.split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/).length);
            expect(position!.column).toBeLessThanOrEqual(text.length + 1);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('reads back what a printer writes', () => {
    // JSON strings are KDL strings as long as no character needs a \\u escape or is forbidden in KDL.
    const plain = fc.string({ maxLength: 8 }).map((text) => text.replaceAll(/[^\x20-\x7e]/g, ''));
    const position = { file: 'f', line: 1, column: 1 };
    const value = fc
      .oneof(plain, fc.integer(), fc.boolean(), fc.constant(null))
      .map((held) => ({ value: held, text: '', quoted: false, position }));
    const node: fc.Arbitrary<KdlNode> = fc.letrec<{ node: KdlNode }>((tie) => ({
      node: fc.record({
        name: plain,
        position: fc.constant(position),
        arguments: fc.array(value, { maxLength: 3 }),
        properties: fc.uniqueArray(fc.record({ name: plain, position: fc.constant(position), value }), {
          maxLength: 2,
          selector: ({ name }) => name,
        }),
        children: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie('node'), { maxLength: 3 })),
      }),
    })).node;
    fc.assert(
      fc.property(fc.array(node, { maxLength: 4 }), (nodes) => {
        const { nodes: read, problems } = parseKdl(nodes.map(print).join('\n'), 'f');
        expect(problems).toEqual([]);
        expect(read.map(bare)).toEqual(nodes.map(bare));
      }),
    );
  });
});
