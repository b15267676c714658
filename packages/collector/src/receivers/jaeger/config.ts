import { grpcServerShape, httpServerShape } from '@clew/net';
import { DEFAULT_DECODE_LIMITS } from '@clew/wire';
import { z } from 'zod';
import { udpServerShape } from '../common/udp-config.ts';

/** An empty section (`grpc:`) enables the protocol with its defaults. */
function enabledByName<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (value === null ? {} : value), schema.optional());
}

const protocols = z.strictObject({
  grpc: enabledByName(z.strictObject(grpcServerShape({ endpoint: 'localhost:14250' }))),
  thrift_http: enabledByName(z.strictObject(httpServerShape({ endpoint: 'localhost:14268' }))),
  thrift_compact: enabledByName(z.strictObject(udpServerShape({ endpoint: 'localhost:6831' }))),
  thrift_binary: enabledByName(z.strictObject(udpServerShape({ endpoint: 'localhost:6832' }))),
  thrift_zipkin_compact: enabledByName(z.strictObject(udpServerShape({ endpoint: 'localhost:5775' }))),
});

/** Settings of the Jaeger receiver. */
export const jaegerReceiverConfig = z
  .strictObject({
    protocols: protocols.prefault({}),
    max_spans_per_request: z.int().min(1).prefault(DEFAULT_DECODE_LIMITS.maxSpans),
    /** Accepted and ignored with a warning, as in the reference: the extension `remote_sampling` does this. */
    remote_sampling: z.unknown().optional(),
  })
  .superRefine((config, context) => {
    if (Object.values(config.protocols).every((protocol) => protocol === undefined)) {
      context.addIssue({
        code: 'custom',
        message: 'must specify at least one protocol when using the Jaeger receiver',
      });
    }
  });

/** What the settings parse to. */
export type JaegerReceiverConfig = z.output<typeof jaegerReceiverConfig>;

/** The protocols that come as datagrams. */
export const udpSections = ['thrift_compact', 'thrift_binary', 'thrift_zipkin_compact'] as const;

/** One of them. */
export type UdpSection = (typeof udpSections)[number];
