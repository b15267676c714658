export * from './exposition.ts';
export * from './files.ts';
export * from './log-sampler.ts';
export * from './logger.ts';
export * from './meter.ts';
