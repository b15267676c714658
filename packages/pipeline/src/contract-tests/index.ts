export * from './exporter.ts';
export * from './extension.ts';
export * from './lifecycle.ts';
export * from './processor.ts';
export * from './receiver.ts';
export * from './support.ts';
export * from './sampling-store.ts';
