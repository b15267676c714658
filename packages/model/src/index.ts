export * from './batch/attribute-table.ts';
export * from './batch/columns.ts';
export * from './batch/span-batch.ts';
export * from './batch/string-table.ts';
export * from './batch/tables.ts';
