import { describe, expect, it } from 'vitest';
import { EngineFailure } from './engine-failure.ts';
import type { EngineConnection } from './chdb.ts';
import { EngineSession } from './session.ts';
import type { SessionState } from './session.ts';

/** A connection that records what it is asked to run and fails what `fails` matches. */
function recorder(fails?: RegExp): { readonly session: EngineSession; readonly ran: string[] } {
  const ran: string[] = [];
  const connection: EngineConnection = {
    run(sql) {
      ran.push(sql);
      if (fails?.test(sql)) return Promise.reject(new EngineFailure('Code: 115. no', 115));
      return Promise.resolve(new Uint8Array());
    },
    close: () => undefined,
  };
  return { session: new EngineSession('test', connection), ran };
}

function state(
  settings: Record<string, string>,
  params: Record<string, string> = {},
  database = 'default',
): SessionState {
  return { database, settings: new Map(Object.entries(settings)), params: new Map(Object.entries(params)) };
}

describe('a session of the engine', () => {
  it('refuses a statement whose placeholder has no value, although the session still holds one', async () => {
    const { session, ran } = recorder();
    await session.run('SELECT {a:String}', state({}, { a: 'x' }), 'Null');
    await expect(session.run('SELECT {a:String}', state({}), 'Null')).rejects.toMatchObject({ engineCode: 456 });
    expect(ran).toEqual(["SET param_a = 'x'", 'SELECT {a:String}']);
  });

  it('refuses names that would become SQL', async () => {
    const { session, ran } = recorder();
    await expect(session.run('SELECT 1', state({ "a = '1', b": '2' }), 'Null')).rejects.toMatchObject({
      engineCode: 115,
    });
    await expect(session.run('SELECT 1', state({}, { 'a b': '2' }), 'Null')).rejects.toMatchObject({ engineCode: 115 });
    expect(ran).toEqual([]);
  });

  it('sets only what differs from the statement before, and takes back what the next does not want', async () => {
    const { session, ran } = recorder();
    await session.run('SELECT 1', state({ a: '1', b: '2' }, { p: 'x' }), 'Null');
    await session.run('SELECT 2', state({ a: '1', c: "it's" }), 'Null');
    await session.run('SELECT 3', state({ a: '1', c: "it's" }), 'Null');
    expect(ran).toEqual([
      "SET a = '1', b = '2', param_p = 'x'",
      'SELECT 1',
      "SET c = 'it\\x27s', b = DEFAULT, param_p = ''",
      'SELECT 2',
      'SELECT 3',
    ]);
  });

  it('changes the database when a statement wants another', async () => {
    const { session, ran } = recorder();
    await session.run('SELECT 1', state({}, {}, 'cl`ew'), 'Null');
    await session.run('SELECT 2', state({}, {}, 'cl`ew'), 'Null');
    expect(ran).toEqual(['USE `cl\\`ew`', 'SELECT 1', 'SELECT 2']);
  });

  it('sends all parameters again after settings that were refused', async () => {
    const { session, ran } = recorder(/bad/);
    await session.run('SELECT 1', state({ a: '1' }, { p: 'x' }), 'Null');
    await expect(session.run('SELECT 2', state({ a: '1', bad: '1' }, { p: 'y' }), 'Null')).rejects.toMatchObject({
      engineCode: 115,
    });
    await session.run('SELECT 3', state({ a: '1' }, { p: 'x' }), 'Null');
    expect(ran.slice(-2)).toEqual(["SET param_p = 'x'", 'SELECT 3']);
  });

  it('makes the library let go of a statement that failed', async () => {
    const { session, ran } = recorder(/broken/);
    await expect(session.run('SELECT broken', state({}), 'Null')).rejects.toMatchObject({ engineCode: 115 });
    expect(ran).toEqual([
      'SELECT broken',
      expect.stringMatching(/^SELECT 1 SETTINGS log_comment = '', max_execution_time = 0/),
    ]);
  });
});
