import type { ComponentKind } from '../component.ts';

/**
 * Types that exist in collectors in the wild, with all their spellings. Those this program was not built with are told
 * apart from typing mistakes.
 */
const known: Readonly<Record<ComponentKind, readonly (readonly string[])[]>> = {
  receiver: [['otlp'], ['jaeger'], ['zipkin'], ['kafka'], ['awsxray', 'aws_xray'], ['nop']],
  processor: [
    ['batch'],
    ['memory_limiter'],
    ['attributes'],
    ['resource'],
    ['filter'],
    ['probabilistic_sampler'],
    ['tail_sampling'],
    ['span'],
    ['transform'],
    ['redaction'],
    ['groupbytrace', 'group_by_trace'],
  ],
  exporter: [
    ['otlp', 'otlp_grpc'],
    ['otlphttp', 'otlp_http'],
    ['jaeger'],
    ['jaeger_thrift'],
    ['zipkin'],
    ['debug', 'logging'],
    ['file'],
    ['kafka'],
    ['awsxray', 'aws_xray'],
    ['loadbalancing', 'load_balancing'],
    ['nop'],
  ],
  connector: [['spanmetrics', 'span_metrics'], ['servicegraph', 'service_graph'], ['forward'], ['routing']],
  extension: [
    ['health_check'],
    ['healthcheckv2'],
    ['zpages'],
    ['pprof'],
    ['file_storage'],
    ['memory_limiter'],
    ['basicauth', 'basic_auth'],
    ['bearertokenauth', 'bearer_token_auth'],
    ['oidc'],
    ['oauth2client'],
    ['headers_setter'],
    ['sigv4auth'],
    ['jaegerremotesampling', 'remote_sampling'],
  ],
};

/** All spellings of a type that is known in the wild, the one asked for included; empty when it is not known. */
export function knownSpellings(kind: ComponentKind, type: string): readonly string[] {
  return known[kind].find((spellings) => spellings.includes(type)) ?? [];
}
