import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { SpanBatch } from '@clew/model';

import { BlockBuilder } from '../../block/block-builder.ts';
import type { TableBlock } from '../../block/table-block.ts';
import type { SqlClient } from '../../engine/client.ts';
import { openEmbeddedEngine } from '../../engine/embedded.ts';
import { createStatements } from '../../schema/ddl.ts';
import { insertSettings } from '../../schema/segments.ts';
import type { SchemaSpec } from '../../schema/table-types.ts';
import { currentSchema } from '../../schema/tables.ts';
import type { PendingSpans } from '../../writer/pending-spans.ts';

/** Tenant of the spans in tests that need only one. */
export const TENANT = 'single-tenant';

/** Nothing is waiting to be stored. */
export const noPending: PendingSpans = {
  findTrace: async () => [],
  backlog: () => ({ rows: 0, oldestUnixMs: undefined }),
};

/** An engine with empty tables in a directory of its own, for one test file. */
export interface TestStore {
  readonly client: SqlClient;
  readonly directory: string;
  /** Stores batches as one segment and returns its id. */
  store(batches: readonly StoredBatch[], segmentId?: string): Promise<string>;
  insert(blocks: readonly TableBlock[], token: string): Promise<void>;
  close(): Promise<void>;
}

/** A batch and how it arrived. */
export interface StoredBatch {
  readonly batch: SpanBatch;
  readonly receivedUnixNano: bigint;
  readonly tenant?: string;
  readonly rows?: Uint32Array;
}

/** Starts an engine; `schema` undefined leaves the tables to the test. */
export async function openTestStore(schema: SchemaSpec | undefined = currentSchema): Promise<TestStore> {
  const directory = await mkdtemp(join(tmpdir(), 'clew-store-'));
  const engine = await openEmbeddedEngine({ dataDirectory: directory });
  const { client } = engine;
  if (schema !== undefined) {
    for (const statement of createStatements(schema, { target: 'embedded' })) {
      await client.execute(statement, { class: 'control', comment: 'create tables' });
    }
  }
  let files = 0;
  const insert = async (blocks: readonly TableBlock[], token: string): Promise<void> => {
    for (const block of blocks) {
      const path = join(directory, `block-${files++}.native`);
      await writeFile(path, Buffer.concat(block.chunks));
      const { table, columns } = block;
      await client.insertFile({ table, columns, path, token, comment: 'insert a segment', settings: insertSettings });
      await rm(path);
    }
  };
  return {
    client,
    directory,
    insert,
    async store(batches, segmentId = randomBytes(16).toString('hex')) {
      const builder = new BlockBuilder();
      for (const { batch, receivedUnixNano, tenant = TENANT, rows } of batches) {
        builder.append(batch, { tenant, receivedUnixNano }, rows);
      }
      await insert(builder.build(segmentId), segmentId);
      return segmentId;
    },
    async close() {
      await engine.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
