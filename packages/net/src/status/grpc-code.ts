/** The seventeen status codes of gRPC (grpc/doc/statuscodes.md). */
export const GrpcCode = Object.freeze({
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  outOfRange: 11,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  dataLoss: 15,
  unauthenticated: 16,
});

/** One of gRPC's status codes. */
export type GrpcCode = (typeof GrpcCode)[keyof typeof GrpcCode];

/** The code for a number read from the wire; a number gRPC does not define counts as `unknown`. */
export function grpcCodeFrom(value: number): GrpcCode {
  return Number.isInteger(value) && value >= 0 && value <= 16 ? (value as GrpcCode) : GrpcCode.unknown;
}
