/** The two halves of a database's address. */
export interface SqlUrl {
  readonly connection: string;
  /** The database's name, when the address ends in one. */
  readonly database: string | undefined;
}

/** `jdbc:postgresql://db.example:5432/orders?ssl=true` is the database `orders` at `jdbc:postgresql://db.example:5432`. */
export function splitSqlUrl(url: string): SqlUrl {
  const query = url.indexOf('?');
  const address = query < 0 ? url : url.slice(0, query);
  const authority = address.indexOf('//');
  const slash = address.lastIndexOf('/');
  const hasDatabase = authority >= 0 && slash > authority + 2 && slash < address.length - 1;
  return hasDatabase
    ? { connection: address.slice(0, slash), database: address.slice(slash + 1) }
    : { connection: url, database: undefined };
}

/** The reverse of {@link splitSqlUrl}, but for a query. */
export function joinSqlUrl(connection: string, database: string | undefined): string {
  return database === undefined ? connection : `${connection}/${database}`;
}

/** The host a database's address names, if any. */
export function hostOfSqlUrl(connection: string): string | undefined {
  const authority = connection.indexOf('//');
  if (authority < 0) return undefined;
  const rest = connection.slice(authority + 2);
  const host = rest.slice(rest.lastIndexOf('@', rest.search(/[/?]|$/)) + 1).split(/[/?]/, 1)[0]!;
  const bare = host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.split(':', 1)[0]!;
  return bare === '' ? undefined : bare;
}
