import { describe, expect, it } from 'vitest';
import { addressesOf } from './addresses.ts';
import { banner } from './banner.ts';

const facts = {
  version: '1.2.3',
  addresses: {
    query: '127.0.0.1:16686',
    otlpHttp: '127.0.0.1:4318',
    otlpGrpc: '127.0.0.1:4317',
    dataDirectory: '/var/lib/clew',
  },
  startedInMs: 1234,
  acknowledgements: [{ receiver: 'otlp', durability: { kind: 'durable' }, text: 'acknowledged = durable' }],
  warnings: [],
} satisfies Parameters<typeof banner>[0];

describe('the start banner', () => {
  it('says where to look, where to send, where data lies and what acknowledged means', () => {
    const text = banner(facts);
    expect(text).toContain('Clew 1.2.3 is ready (1.2 s)');
    expect(text).toMatch(/^ {2}Look {5}http:\/\/127\.0\.0\.1:16686$/m);
    expect(text).toContain('OTLP    http://127.0.0.1:4318 (HTTP)  127.0.0.1:4317 (gRPC); each answers both');
    expect(text).toContain('/var/lib/clew');
    expect(text).toContain('otlp: acknowledged = durable');
    expect(text).not.toContain('Warning');
  });

  it('says where a gateway beside it is asked, each listener on a line of its own', () => {
    const text = banner({ ...facts, gateway: ['http://localhost:8080', 'https://[::1]:8443'] });
    expect(text.match(/^ {2}Gateway {2}.*$/gm)).toEqual([
      '  Gateway  http://localhost:8080',
      '  Gateway  https://[::1]:8443',
    ]);
    expect(banner(facts)).not.toContain('Gateway');
  });

  it('leaves out what does not listen', () => {
    const text = banner({ ...facts, addresses: { otlpGrpc: '127.0.0.1:4317' } });
    expect(text).not.toContain('Look');
    expect(text).toContain('OTLP    127.0.0.1:4317 (gRPC); it answers both');
    expect(banner({ ...facts, addresses: {} })).not.toContain('Send');
  });

  it('prints every warning on a line of its own', () => {
    const text = banner({ ...facts, warnings: ['no token', 'no health check'] });
    expect(text.match(/^ {2}Warning {2}no .*$/gm)).toHaveLength(2);
  });
});

describe('the addresses of a running all-in-one', () => {
  const node = (type: string, details: Readonly<Record<string, unknown>>) => ({
    key: type,
    kind: 'extension',
    id: type,
    type,
    placement: 'singleton',
    status: 'ok',
    details,
  });
  const graph = (host: string) => ({
    state: 'running' as const,
    nodes: [
      node('otlp', {
        listeners: [
          { protocol: 'otlp_grpc', address: `${host}:1` },
          { protocol: 'otlp_http', address: `${host}:2` },
        ],
      }),
      node('clew_query', { address: `${host}:3` }),
      node('clew_storage', { directory: '/mnt/traces' }),
    ],
    edges: [],
    acknowledgements: [],
  });

  it('are those it listens on, not those it would by default', () => {
    expect(addressesOf(graph('10.0.0.5'))).toEqual({
      otlpGrpc: '10.0.0.5:1',
      otlpHttp: '10.0.0.5:2',
      query: '10.0.0.5:3',
      dataDirectory: '/mnt/traces',
    });
  });

  it('are shown as people can open them when every address is listened on', () => {
    expect(addressesOf(graph('0.0.0.0')).query).toBe('localhost:3');
    expect(addressesOf(graph('[::]')).otlpHttp).toBe('localhost:2');
    expect(addressesOf(graph('[::1]')).otlpHttp).toBe('[::1]:2');
  });

  it('are none while nothing runs', () => {
    expect(addressesOf(undefined)).toEqual({});
  });
});
