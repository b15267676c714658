export * from './component.ts';
export * from './consumer.ts';
