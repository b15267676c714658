export * from './errors.ts';
export * from './result.ts';
export * from './telemetry.ts';
