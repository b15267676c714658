import type { ApiErrorCode } from '@clew/api';

/** HTTP status of each error of the API. */
export const apiErrorStatus: Readonly<Record<ApiErrorCode, number>> = {
  invalid_request: 400,
  unsupported_query: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  too_large: 413,
  query_limit: 422,
  overloaded: 503,
  unavailable: 503,
  timeout: 504,
  internal: 500,
};
