import type { ExtensionFactory } from '@clew/pipeline';
import { queryConfig } from './config.ts';
import type { QueryConfig } from './config.ts';
import type { ProgramView } from './program.ts';
import { QueryExtension } from './query-extension.ts';

/** The `clew_query` extension: the query APIs and the page, for the program it is built into. */
export function createQueryFactory(program: ProgramView): ExtensionFactory<QueryConfig> {
  return {
    kind: 'extension',
    type: 'clew_query',
    stability: { traces: 'beta' },
    placement: 'singleton',
    configSchema: queryConfig,
    create: ({ id, config, telemetry }) => new QueryExtension(id, config, program, telemetry),
  };
}
