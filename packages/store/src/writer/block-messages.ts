import type { StoreErrorCode } from '../errors.ts';
import { StoreError } from '../errors.ts';
import type { BlockFile, RecordPart } from './segment-blocks.ts';

/** What the thread that builds blocks is asked to do; answered in order. */
export type BlockRequest =
  | { readonly kind: 'prepare' }
  | {
      readonly kind: 'build';
      readonly path: string;
      readonly segmentId: string;
      readonly parts?: readonly RecordPart[] | undefined;
    }
  | { readonly kind: 'finish'; readonly paths: readonly string[]; readonly stored: boolean }
  | { readonly kind: 'forget'; readonly days: readonly number[] };

/** What it answers. */
export type BlockAnswer =
  { readonly ok: true; readonly files: readonly BlockFile[] } | { readonly ok: false; readonly failure: BlockFailure };

/** An error on its way between threads, with what the writer decides by: a StoreError's code, or that it came from the system. */
export interface BlockFailure {
  readonly message: string;
  readonly storeCode?: StoreErrorCode;
  readonly syscall?: string;
  readonly errno?: string;
}

/** Takes an error apart. */
export function toFailure(error: unknown): BlockFailure {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message } = error;
  if (error instanceof StoreError) return { message, storeCode: error.code };
  if ('syscall' in error)
    return { message, syscall: String(error.syscall), errno: 'code' in error ? String(error.code) : '' };
  return { message };
}

/** Puts it together again. */
export function fromFailure({ message, storeCode, syscall, errno }: BlockFailure): Error {
  if (storeCode !== undefined) return new StoreError(storeCode, message);
  return syscall === undefined ? new Error(message) : Object.assign(new Error(message), { syscall, code: errno });
}
