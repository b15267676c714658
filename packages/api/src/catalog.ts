import type { ListFacts } from './common.ts';
import type { AttributeScope } from './query/filter.ts';

/** `GET /services`: services seen in the time range, most spans first. */
export interface ServicesAnswer {
  readonly services: readonly ServiceEntry[];
  readonly facts: ListFacts;
}

/** A service. The counts are absent when they are not cheaply known. */
export interface ServiceEntry {
  readonly name: string;
  readonly spans?: number;
  readonly errors?: number;
}

/** `GET /operations?service=`: span names of a service (of all services when absent). */
export interface OperationsAnswer {
  readonly operations: readonly OperationEntry[];
  readonly facts: ListFacts;
}

/** A span name; `kind` as OTLP numbers it (0 unspecified … 5 consumer). */
export interface OperationEntry {
  readonly name: string;
  readonly kind: number;
  readonly spans?: number;
}

/** `GET /keys?prefix=`: attribute keys, most used first. */
export interface KeysAnswer {
  readonly keys: readonly KeyEntry[];
  readonly facts: ListFacts;
}

/** An attribute key and where it occurs. */
export interface KeyEntry {
  readonly key: string;
  readonly scope: AttributeScope;
  readonly types: readonly ('string' | 'int' | 'double' | 'bool' | 'bytes' | 'array' | 'kvlist')[];
  readonly spans?: number;
}

/** `GET /values?key=&prefix=`: values of one key, most used first. */
export interface ValuesAnswer {
  readonly values: readonly ValueEntry[];
  readonly facts: ListFacts;
}

/** A value as a filter would write it: numbers and booleans in their text form, 64-bit integers exact. */
export interface ValueEntry {
  readonly type: 'string' | 'number' | 'boolean';
  readonly text: string;
  readonly spans?: number;
}
