import { inspectHeader, RECORD_HEADER_BYTES, RecordView } from './record.ts';

/** A stretch of a segment's file that is not a good record. */
export interface DamagedRange {
  readonly start: number;
  readonly end: number;
  /** What is wrong, in a few words. */
  readonly reason: string;
}

/** What a segment's file holds. */
export interface SegmentScan {
  readonly records: readonly RecordView[];
  /** Ranges to be set aside: something was written here and is not what was written. */
  readonly damaged: readonly DamagedRange[];
  /** Where the file ends once a torn tail is cut off. Behind it nothing was ever acknowledged. */
  readonly end: number;
  /** True when a record of a later layout was met: the file must be left alone. */
  readonly newer: boolean;
}

/**
 * Reads a segment. A tail that was cut off in the middle of a write (fewer bytes than a header, zeros, or a header that promises more than there is) is
 * torn: its sync never returned, so nobody was told it is safe. Anything else that is not a good record is damage; reading goes on at the next
 * place, a multiple of eight, where a good header of the same segment stands.
 */
export function scanSegment(bytes: Uint8Array, segmentId: Uint8Array): SegmentScan {
  const records: RecordView[] = [];
  const damaged: DamagedRange[] = [];
  let newer = false;
  let at = 0;
  while (at < bytes.length) {
    const header = inspectHeader(bytes, at, segmentId);
    if (header === 'newer') newer = true;
    if (header === 'valid') {
      const record = new RecordView(bytes, at);
      if (record.end <= bytes.length) {
        if (record.bodyIntact()) records.push(record);
        else damaged.push({ start: at, end: record.end, reason: 'checksum of the contents does not match' });
        at = record.end;
        continue;
      }
    }
    const next = nextHeader(bytes, at + 8, segmentId);
    if (next === undefined && header !== 'damaged') return { records, damaged, end: at, newer };
    const end = next ?? bytes.length;
    damaged.push({ start: at, end, reason: `no readable header (${header})` });
    at = end;
  }
  return { records, damaged, end: at, newer };
}

function nextHeader(bytes: Uint8Array, from: number, segmentId: Uint8Array): number | undefined {
  for (let at = from; at + RECORD_HEADER_BYTES <= bytes.length; at += 8) {
    // The first byte of the magic, before anything dearer.
    if (bytes[at] === 0x43 && inspectHeader(bytes, at, segmentId) === 'valid') return at;
  }
  return undefined;
}
