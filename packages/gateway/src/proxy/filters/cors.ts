import type { CorsFilter } from '../../config/model/filter.ts';
import { fieldValue } from '../headers/fields.ts';

/** Answers preflights and tells browsers what they may read (the Fetch standard's CORS protocol). */
export class CorsPolicy {
  readonly #settings: CorsFilter;
  readonly #any: boolean;

  constructor(settings: CorsFilter) {
    this.#settings = settings;
    this.#any = settings.allowedOrigins.includes('*');
  }

  /** Whether the request is a preflight, which never reaches the upstream. */
  static isPreflight(method: string, headers: readonly string[]): boolean {
    return (
      method === 'OPTIONS' &&
      fieldValue(headers, 'origin') !== undefined &&
      fieldValue(headers, 'access-control-request-method') !== undefined
    );
  }

  /** The fields of a preflight's answer. */
  preflightHeaders(headers: readonly string[]): string[] {
    const { allowedMethods, allowedHeaders, maxAgeSeconds } = this.#settings;
    const allowed = this.#originHeaders(headers);
    if (allowed.length === 0) return ['Vary', 'Origin'];
    allowed.push('Access-Control-Allow-Methods', allowedMethods.join(', '));
    const asked = fieldValue(headers, 'access-control-request-headers');
    const names = allowedHeaders.length > 0 ? allowedHeaders.join(', ') : asked;
    if (names !== undefined) allowed.push('Access-Control-Allow-Headers', names);
    allowed.push('Access-Control-Max-Age', String(maxAgeSeconds));
    return allowed;
  }

  /** The fields of any other response. */
  responseHeaders(headers: readonly string[]): string[] {
    const allowed = this.#originHeaders(headers);
    const { exposedHeaders } = this.#settings;
    if (allowed.length > 0 && exposedHeaders.length > 0) {
      allowed.push('Access-Control-Expose-Headers', exposedHeaders.join(', '));
    }
    return allowed;
  }

  #originHeaders(headers: readonly string[]): string[] {
    const origin = fieldValue(headers, 'origin');
    if (origin === undefined) return [];
    const { allowCredentials, allowedOrigins } = this.#settings;
    if (!this.#any && !allowedOrigins.includes(origin)) return [];
    // With credentials the star is not allowed: the origin is named, and caches are told.
    if (this.#any && !allowCredentials) return ['Access-Control-Allow-Origin', '*'];
    const fields = ['Access-Control-Allow-Origin', origin, 'Vary', 'Origin'];
    if (allowCredentials) fields.push('Access-Control-Allow-Credentials', 'true');
    return fields;
  }
}
