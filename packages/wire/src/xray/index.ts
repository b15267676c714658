export { decodeDaemonPacket, encodeDaemonPacket } from './daemon-packet.ts';
export { decodeSegment } from './decode-segment.ts';
export { MAX_DOCUMENT_BYTES, encodeSegments } from './encode-segments.ts';
export type { EncodeSegmentsOptions, SegmentLoss } from './encode-segments.ts';
export { formatXrayTraceId, parseXrayTraceId } from './ids.ts';
export type { ShrinkStep } from './shrink.ts';
