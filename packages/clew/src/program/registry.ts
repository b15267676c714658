import { collectorFactories } from '@clew/collector';
import { ComponentRegistry } from '@clew/pipeline';
import { createQueryFactory } from '@clew/query';
import type { ProgramView } from '@clew/query';
import { clewStorageExtension, clewStoreExporter } from '@clew/store';

/** Every component this program is built with. `program` is what the query server shows of it. */
export function createRegistry(program: ProgramView): ComponentRegistry {
  return new ComponentRegistry([
    ...collectorFactories,
    clewStoreExporter,
    clewStorageExtension,
    createQueryFactory(program),
  ]);
}
