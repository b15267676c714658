import type { AttributeBag } from './attribute-bag.ts';
import { textOfValue } from './attribute-text.ts';
import type { JsonObject } from './json-tree.ts';
import { present } from './translate-aws.ts';
import { joinSqlUrl } from './sql-url.ts';

/** `db.system` and `db.system.name` of databases that are asked in SQL. */
const sqlSystems: ReadonlySet<string> = new Set([
  'actian.ingres',
  'aws.redshift',
  'clickhouse',
  'cloudscape',
  'cockroachdb',
  'db2',
  'derby',
  'edb',
  'firebird',
  'firebirdsql',
  'gcp.spanner',
  'h2',
  'h2database',
  'hanadb',
  'hive',
  'hsqldb',
  'ibm.db2',
  'ibm.informix',
  'ibm.netezza',
  'informix',
  'ingres',
  'instantdb',
  'interbase',
  'mariadb',
  'maxdb',
  'microsoft.sql_server',
  'mssql',
  'mysql',
  'netezza',
  'oracle',
  'oracle.db',
  'other_sql',
  'pervasive',
  'pointbase',
  'postgresql',
  'progress',
  'redshift',
  'sap.hana',
  'sap.maxdb',
  'spanner',
  'sqlite',
  'sybase',
  'teradata',
  'trino',
  'vertica',
]);

/** Fills `sql` of a segment when the span is a query of such a database. */
export function translateSql(segment: JsonObject, bag: AttributeBag): void {
  const system = bag.peekText('db.system.name') ?? bag.peekText('db.system');
  if (system === undefined || !sqlSystems.has(system)) return;
  bag.takeFirstOf('db.system.name', 'db.system');
  const connection = textOfValue(bag.take('db.connection_string')) ?? bag.peekText('server.address') ?? 'localhost';
  const database = textOfValue(bag.takeFirstOf('db.namespace', 'db.name'));
  const sql = present([
    ['url', joinSqlUrl(connection, database)],
    ['database_type', system],
    ['database_version', textOfValue(bag.take('db.version'))],
    ['driver_version', textOfValue(bag.take('db.driver.version'))],
    ['user', textOfValue(bag.take('db.user'))],
    ['sanitized_query', textOfValue(bag.takeFirstOf('db.query.text', 'db.statement'))],
  ]);
  if (sql !== undefined) segment.set('sql', sql);
}
