export * from './engine/client.ts';
export * from './errors.ts';
export { clewStoreExporter } from './exporter/index.ts';
export { isClewStorage } from './storage/capability.ts';
export type { ClewStorage } from './storage/capability.ts';
export { clewStorageExtension } from './storage/index.ts';
export type { PendingBatch, PendingSpans } from './writer/pending-spans.ts';
