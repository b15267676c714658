export * from './certificates.ts';
export * from './arbitraries.ts';
export * from './otlp-requests.ts';
export * from './spans/index.ts';
export * from './launch-clew.ts';
export { freePort, freePorts } from './free-ports.ts';
