import { base64Of } from '@clew/model';
import { hasPrefix, joinedTexts } from './carrier.ts';
import type { CarrierAccess } from './carrier.ts';

/** What is used of the `Metadata` of `@grpc/grpc-js`. */
export interface GrpcMetadata {
  get(key: string): readonly (string | Uint8Array)[];
  set(key: string, value: string): void;
  remove(key: string): void;
  getMap(): Record<string, string | Uint8Array>;
}

/**
 * gRPC metadata. Values of `…-bin` keys, which the library gives as bytes, read as the base64 text they travel as, so that the
 * same code reads HTTP/2 headers; they are not written, since no format that is written needs them.
 */
export const grpcMetadata: CarrierAccess<GrpcMetadata> = {
  get(metadata, name) {
    const values = metadata.get(name);
    if (values.length === 0) return undefined;
    return isBinary(name) ? values.map(base64Text).join(',') : joinedTexts(values);
  },
  each(metadata, prefix, visit, state) {
    const values = metadata.getMap();
    for (const key in values) {
      const value = values[key];
      if (value !== undefined && hasPrefix(key, prefix)) visit(key.slice(prefix.length), base64Text(value), state);
    }
  },
  set(metadata, name, value) {
    if (isBinary(name)) return false;
    metadata.set(name, value);
    return true;
  },
  remove: (metadata, name) => metadata.remove(name),
};

function isBinary(name: string): boolean {
  return name.endsWith('-bin');
}

function base64Text(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : base64Of(value);
}
