import { describe, expect, it } from 'vitest';
import { hostOfSqlUrl, joinSqlUrl, splitSqlUrl } from './sql-url.ts';

describe('the address of a database', () => {
  it.each([
    ['jdbc:postgresql://db.example:5432/orders', 'jdbc:postgresql://db.example:5432', 'orders'],
    ['mysql://db/a/b', 'mysql://db/a', 'b'],
    ['mysql://db/orders?ssl=a/b', 'mysql://db', 'orders'],
    ['mysql://db', 'mysql://db', undefined],
    ['mysql://db/', 'mysql://db/', undefined],
    ['mysql:///orders', 'mysql:///orders', undefined],
    ['Server=x;Database=y', 'Server=x;Database=y', undefined],
    ['', '', undefined],
  ])('%j is split into connection and name', (url, connection, database) => {
    expect(splitSqlUrl(url)).toEqual({ connection, database });
    if (!url.includes('?')) expect(joinSqlUrl(connection, database)).toBe(url);
  });

  it.each([
    ['jdbc:mysql://db.example:3306', 'db.example'],
    ['postgresql://user:p%40ss@[::1]:5432/x', '[::1]'],
    ['mysql://db?at=a@b', 'db'],
    ['jdbc:sqlite:file.db', undefined],
    ['x://', undefined],
  ])('%j names the host %s', (url, host) => expect(hostOfSqlUrl(url)).toBe(host));
});
