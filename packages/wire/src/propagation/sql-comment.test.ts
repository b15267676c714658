import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceContext } from './context.ts';
import { extractSqlComment, injectSqlComment } from './sql-comment.ts';
import { SPAN, TRACE, contextOf, told } from './test/carry.ts';

const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;
const COMMENT = `/*traceparent='${TRACEPARENT}'*/`;
const whole = { format: 'tracecontext', traceId: TRACE, spanId: SPAN, flags: 1, decided: true };

function readSql(sql: string): unknown {
  const into = new TraceContext();
  return extractSqlComment(sql, into) ? told(into) : undefined;
}

describe('a context in an SQL comment', () => {
  it.each([
    '',
    'SELECT 1',
    'SELECT 1 /*',
    'SELECT 1 */',
    '/*',
    '/**/',
    '/*/',
    'SELECT 1 /*traceparent*/',
    `SELECT 1 /*traceparent=${TRACEPARENT}*/`,
    `SELECT 1 /*traceparent='*/`,
    `SELECT 1 /*tracestate='a%3D1'*/`,
    `SELECT '${COMMENT}' AS text`,
    `SELECT 1 ${COMMENT} AS later`,
  ])('is not found in %j', (sql) => {
    expect(readSql(sql)).toBeUndefined();
  });

  it.each([
    `SELECT 1 ${COMMENT}`,
    `SELECT 1 ${COMMENT} ; \n`,
    `${COMMENT} SELECT 1`,
    `${COMMENT} SELECT 1 /* hint */`,
    `SELECT /* hint */ 1 /*action='%2Fpage',route='it\\'s' , traceparent='${TRACEPARENT}'*/`,
    `SELECT 1 /*traceparent='${TRACEPARENT.replaceAll('-', '%2D')}'*/`,
  ])('is found in %j', (sql) => {
    expect(readSql(sql)).toEqual(whole);
  });

  it('is written at the end, before the semicolon, with its tracestate', () => {
    const context = contextOf(1, { tracestate: 'ot=th:8,foo=1' });
    const comment = `/*traceparent='${TRACEPARENT}',tracestate='ot%3Dth%3A8%2Cfoo%3D1'*/`;
    expect(injectSqlComment('SELECT 1', context)).toBe(`SELECT 1 ${comment}`);
    expect(injectSqlComment('  SELECT 1 ;\n', context)).toBe(`  SELECT 1 ${comment} ;\n`);
    expect(readSql(injectSqlComment('SELECT 1;', context))).toEqual({ ...whole, tracestate: 'ot=th:8,foo=1' });
  });

  it('cannot end the comment early', () => {
    const context = contextOf(1, { tracestate: "foo=*/'" });
    expect(injectSqlComment('SELECT 1', context).indexOf('*/')).toBe(injectSqlComment('SELECT 1', context).length - 2);
    expect(readSql(injectSqlComment('SELECT 1', context))).toEqual({ ...whole, tracestate: "foo=*/'" });
  });

  it('is left out where a statement has comments, is empty, or there are no ids', () => {
    for (const sql of ['SELECT 1 /* hint */', 'SELECT 1 -- note', '', ' ; ']) {
      expect(injectSqlComment(sql, contextOf())).toBe(sql);
    }
    expect(injectSqlComment('SELECT 1', new TraceContext())).toBe('SELECT 1');
  });

  it('is read from any text without failing', () => {
    const piece = fc.constantFrom('/*', '*/', "'", '=', ',', '%', '\\', ';', ' ', 'traceparent', TRACEPARENT, '\0');
    fc.assert(fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => void readSql(pieces.join(''))));
  });
});
