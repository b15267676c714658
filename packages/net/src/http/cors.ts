/** Cross-origin rules of an HTTP mount; active only when `allowedOrigins` is not empty. */
export interface CorsSettings {
  /** Exact origins, patterns with one `*`, or `*`. */
  readonly allowedOrigins: readonly string[];
  /** Request headers allowed besides Accept, Content-Type and X-Requested-With; `*` allows any. */
  readonly allowedHeaders?: readonly string[];
  readonly exposedHeaders?: readonly string[];
  /** How long a browser may remember a preflight; 0 or absent says nothing. */
  readonly maxAgeSeconds?: number;
}
