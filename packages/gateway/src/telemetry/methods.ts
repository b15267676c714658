/** Methods by their own name in `http.request.method`; others are `_OTHER` there. */
const knownMethods: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
]);

/** Whether it is a method of HTTP, and not one that somebody made up. */
export function isKnownMethod(method: string): boolean {
  return knownMethods.has(method);
}

/** The value of `http.request.method`. */
export function stableMethod(method: string): string {
  return method === '' || knownMethods.has(method) ? method : '_OTHER';
}
