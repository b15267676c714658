export { createQueryFactory } from './extension/index.ts';
export type { DemoControl, PageContent, PageFile, ProgramView } from './extension/program.ts';
export { receiverStatuses } from './clew/receivers.ts';
export { QueryError } from './errors.ts';
export type { QueryErrorCode } from './errors.ts';
