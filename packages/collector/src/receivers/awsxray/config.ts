import { httpServerShape } from '@clew/net';
import { DEFAULT_DECODE_LIMITS } from '@clew/wire';
import { z } from 'zod';
import { udpServerShape } from '../common/udp-config.ts';

/** The largest payload a UDP datagram over IPv4 can have. */
const maxDatagramBytes = 65_507;

/** Settings with which the reference signs and forwards sampling calls to AWS, and without meaning here. */
export const forwardingSettings = [
  'proxy_address',
  'region',
  'role_arn',
  'aws_endpoint',
  'local_mode',
  'service_name',
  'certificate_file_path',
] as const;

const text = z.string().optional();

/** The TCP side: SDKs ask it for sampling rules. */
const proxyServer = z.strictObject({
  /** Whether to answer at all. */
  enabled: z.boolean().prefault(true),
  endpoint: httpServerShape({ endpoint: 'localhost:2000' }).endpoint,
  proxy_address: text,
  region: text,
  role_arn: text,
  aws_endpoint: text,
  local_mode: z.boolean().optional(),
  service_name: text,
  certificate_file_path: text,
  tls: z.unknown().optional(),
});

/** Settings of the AWS X-Ray receiver. */
export const awsXrayReceiverConfig = z.strictObject({
  ...udpServerShape({ endpoint: 'localhost:2000' }),
  max_packet_size: z.int().min(1).max(65_535).prefault(maxDatagramBytes),
  transport: z
    .string()
    .refine((transport) => transport === 'udp', 'must be udp: X-Ray SDKs send segments in datagrams and no other way')
    .prefault('udp'),
  proxy_server: z.preprocess((value) => (value === null ? {} : value), proxyServer.prefault({})),
  /** The one rule that SDKs are told: X-Ray's own default. */
  sampling: z
    .strictObject({
      /** Share of requests sampled once the reservoir is used up, 0 to 1. */
      fixed_rate: z.number().min(0).max(1).prefault(0.05),
      /** Requests a second sampled before that, over all clients together. */
      reservoir_size: z.int().min(0).max(1_000_000).prefault(1),
    })
    .prefault({}),
  /** Segments and embedded subsegments in one document. */
  max_spans_per_request: z.int().min(1).prefault(DEFAULT_DECODE_LIMITS.maxSpans),
  /** Nesting of objects and lists in one document; each level of embedded subsegments is two. */
  max_value_depth: z.int().min(1).max(500).prefault(DEFAULT_DECODE_LIMITS.maxDepth),
});

/** What the settings parse to. */
export type AwsXrayReceiverConfig = z.output<typeof awsXrayReceiverConfig>;

/** The names of forwarding settings that somebody has set. */
export function forwardingSettingsOf({ proxy_server: proxy }: AwsXrayReceiverConfig): readonly string[] {
  const set = [...forwardingSettings, 'tls' as const].filter((name) => proxy[name] !== undefined);
  return set.map((name) => `proxy_server.${name}`);
}
