import { byteSize, durationMs, section, uint } from '@clew/pipeline';
import { z } from 'zod';

/** Where spans are kept, for how long, and what that may cost. Sizes in bytes, durations in milliseconds once decoded. */
export const clewStorageConfig = section({
  directory: z
    .string()
    .min(1)
    .prefault('clew-data')
    .describe('Data directory: journal, quarantine and the embedded engine.'),
  url: z
    .url({ protocol: /^https?$/, error: 'must be the http:// or https:// address of a ClickHouse server' })
    .optional()
    .describe('A ClickHouse server to use instead of the embedded engine.'),
  username: z.string().optional().describe('User of the ClickHouse server.'),
  password: z.string().optional().meta({ secret: true }).describe('Its password.'),
  database: z.string().optional().describe('Database of the ClickHouse server.'),
  cluster: z.string().optional().describe('Cluster on which tables are made (preview).'),
  retention: section({
    max_age: durationMs().prefault('168h').describe('Days older than this are dropped; 0 keeps everything.'),
    max_bytes: byteSize()
      .prefault(0)
      .describe('The oldest days are dropped while all tables together are larger; 0 is no limit.'),
  }),
  journal: section({
    directory: z
      .string()
      .min(1)
      .optional()
      .describe('Where the journal lies; default: journal below the data directory.'),
    max_bytes: byteSize()
      .optional()
      .describe('Bytes that may wait to be stored; default: 10 GiB or a fifth of the free disk, the smaller.'),
    min_free_bytes: byteSize().prefault('256MiB').describe('Disk space the journal leaves free.'),
    max_record_bytes: byteSize().prefault('256MiB').describe('One request, packed.'),
    max_unsynced_bytes: byteSize().prefault('64MiB').describe('Requests that wait for the disk.'),
    max_resident_bytes: byteSize()
      .prefault('64MiB')
      .describe('Memory for requests that wait to be stored; others are read back.'),
    max_remembered_requests: uint().prefault(1_000_000).describe('Requests by which repetitions are recognised.'),
  }),
  engine: section({
    max_memory_bytes: byteSize().prefault('1GB').describe('Memory the embedded engine may allocate.'),
    sessions: uint().min(1).optional().describe('Scans at once; default: the number of cores, at least 2.'),
    max_unavailable: durationMs().prefault('5s').describe('How long statements wait for an engine that starts again.'),
  }),
  queries: section({
    max_waiting: uint().prefault(64).describe('Reads of one class that may wait.'),
    max_wait: durationMs().prefault('5s').describe('How long a read may wait for its turn.'),
    max_time: durationMs().prefault('30s').describe('How long a read may take.'),
    max_memory_bytes: byteSize().optional().describe("Memory of one statement; default: a third of the engine's."),
    max_result_rows: uint().prefault(1_000_000).describe('Rows of one result.'),
    max_result_bytes: byteSize().prefault('256MiB').describe('Bytes of one result that is held in memory.'),
  }),
});

/** Settings of `clew_storage`. */
export type ClewStorageConfig = z.output<typeof clewStorageConfig>;
