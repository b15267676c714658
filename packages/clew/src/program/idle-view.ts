import type { ProgramView } from '@clew/query';
import { version } from './version.ts';

/** What a program shows that is not running: for commands that only read configurations. */
export const idleView: ProgramView = {
  version,
  startedUnixMs: 0,
  metrics: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
  graph: () => undefined,
  configuration: () => '',
};
