import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { builtInConfig } from './built-in-config.ts';
import { optionalPartNames } from './ports.ts';
import type { OptionalPart } from './ports.ts';

interface BuiltIn {
  readonly receivers: Readonly<Record<string, { readonly protocols?: object }>>;
  readonly extensions: Readonly<Record<string, object>>;
  readonly service: { readonly extensions: string[]; readonly pipelines: { readonly traces: { receivers: string[] } } };
}

const built = (...without: OptionalPart[]) =>
  parse(builtInConfig({ listenHost: '::1', dataDirectory: '/data', small: false, without })) as BuiltIn;

describe('the built-in configuration without a port that is taken', () => {
  it.each(['remote_sampling_http', 'remote_sampling_grpc'] as const)(
    'tells clients how much to sample on the ports of Jaeger’s collector all the same: %s',
    (part) => {
      const { extensions, service } = built(part);
      const section = part === 'remote_sampling_http' ? 'http' : 'grpc';
      const other = part === 'remote_sampling_http' ? 'grpc' : 'http';
      expect(extensions['remote_sampling']).toMatchObject({
        [section]: { enabled: false },
        [other]: { endpoint: expect.stringMatching(/^\[::1\]:577\d$/) as string },
        also_http_endpoints: ['[::1]:14268'],
        also_grpc_endpoints: ['[::1]:14250'],
      });
      expect(service.extensions).toContain('remote_sampling');
    },
  );

  it('does not ask for the ports of a receiver that has none', () => {
    const { extensions, receivers } = built('jaeger_thrift_http', 'jaeger_grpc');
    expect(extensions['remote_sampling']).toMatchObject({ also_http_endpoints: [], also_grpc_endpoints: [] });
    expect(Object.keys(receivers['jaeger']!.protocols!)).toEqual([
      'thrift_compact',
      'thrift_binary',
      'thrift_zipkin_compact',
    ]);
  });

  it('has no receiver and no extension of which nothing is left', () => {
    const { receivers, service } = built(...optionalPartNames);
    expect(Object.keys(receivers)).toEqual(['otlp']);
    expect(service.pipelines.traces.receivers).toEqual(['otlp']);
    expect(service.extensions).not.toContain('health_check');
  });
});
