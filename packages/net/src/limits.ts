// Every default limit of this package, with the reason for its size. Settings override them; errors name both.

/** Wire and inflated size of an HTTP request body: what OpenTelemetry's collector allows. */
export const defaultMaxRequestBodyBytes = 20 * 1024 * 1024;

/** Size of a gRPC message: what every gRPC implementation allows until told otherwise. */
export const defaultMaxGrpcMessageBytes = 4 * 1024 * 1024;

/** Silence within a body. A sender that pauses longer holds memory for nothing. */
export const defaultBodyIdleTimeoutMs = 30_000;

/** Silence of a reader while a reply waits to be written. */
export const defaultWriteIdleTimeoutMs = 30_000;

/** How much of an unread body is discarded so that the client sees its reply before the connection closes. */
export const maxDiscardBytes = 256 * 1024;

/** How long that discarding may take. */
export const maxDiscardMs = 2_000;

/** Bytes of a partner's reply that are read to find out why it refused. */
export const maxErrorBodyBytes = 64 * 1024;
