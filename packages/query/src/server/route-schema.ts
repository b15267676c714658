import type { FastifySchema } from 'fastify';

/** What the OpenAPI document says of a route. Routes without a tag do not appear in it. */
export interface RouteDocument {
  readonly tags: readonly ['jaeger' | 'clew'];
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** JSON Schema of the query parameters. */
  readonly querystring?: object;
  readonly params?: object;
  readonly body?: object;
  /** JSON Schema by status. Answers are not serialised by it, only described. */
  readonly response?: Readonly<Record<string, object>>;
}

/**
 * A route's schema that only documents: requests are read by the API's own parsers, which know the error texts clients
 * expect, and answers are written as they are.
 */
export function documented(document: RouteDocument): { readonly schema: FastifySchema } {
  return { schema: { ...document } };
}
