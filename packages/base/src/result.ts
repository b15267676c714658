/** An expected outcome as a value: parsers and validators return this instead of throwing. */
export type Result<T, E> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: E };

/** A successful result. */
export function ok<T>(value: T): Result<T, never> {
  return { ok: true, value };
}

/** A failed result. */
export function fail<E>(error: E): Result<never, E> {
  return { ok: false, error };
}
