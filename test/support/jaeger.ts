import type { LaunchedClew } from '@clew/testkit';
import { until } from './clew.ts';

/** Jaeger's JSON, as its documentation shows it and clients read it. */
export interface JaegerTag {
  readonly key: string;
  readonly type: string;
  readonly value: unknown;
}

/** A span of Jaeger's JSON. */
export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly JaegerTag[] }[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

/** A trace of Jaeger's JSON. */
export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string; readonly tags: readonly JaegerTag[] }>>;
}

type Queried = Pick<LaunchedClew, 'queryUrl'>;

/** The `data` member of an answer; a failure becomes an error with the status and body. */
export async function jaegerData<T>(clew: Queried, path: string): Promise<T> {
  const response = await fetch(clew.queryUrl + path);
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return (JSON.parse(text) as { data: T }).data;
}

/** A trace by id, or undefined when it is not there. */
export async function findTrace(clew: Queried, traceId: string): Promise<JaegerTrace | undefined> {
  const response = await fetch(`${clew.queryUrl}/api/traces/${traceId}`);
  const text = await response.text();
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`trace ${traceId}: ${response.status} ${text}`);
  return (JSON.parse(text) as { data: JaegerTrace[] }).data[0];
}

/** A trace by id, waited for until it has at least that many spans. */
export function awaitTrace(clew: Queried, traceId: string, spans = 1): Promise<JaegerTrace> {
  return until(`trace ${traceId} with ${spans} spans`, async () => {
    const trace = await findTrace(clew, traceId);
    return trace !== undefined && trace.spans.length >= spans ? trace : undefined;
  });
}

/** A tag's value; undefined when there is none of the key. */
export function tagOf(tags: readonly JaegerTag[], key: string): unknown {
  return tags.find((tag) => tag.key === key)?.value;
}
