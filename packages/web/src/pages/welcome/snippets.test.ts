import { describe, expect, it } from 'vitest';
import { snippetsFor } from './snippets.ts';

const addresses = {
  otlpHttp: 'http://10.0.0.5:14318',
  otlpGrpc: 'http://10.0.0.5:14317',
  jaegerHttp: 'http://10.0.0.5:14268',
  jaegerUdpHostPort: '10.0.0.5:16831',
  zipkin: 'http://10.0.0.5:19411',
};

describe('snippets of the welcome page', () => {
  it('say when a receiver is off', () => {
    const off = snippetsFor({ ...addresses, jaegerHttp: undefined, jaegerUdpHostPort: undefined, zipkin: undefined });
    expect(off.find((snippet) => snippet.id === 'jaeger')?.intro).toContain('is off');
    expect(off.find((snippet) => snippet.id === 'zipkin')?.intro).toContain('is off');
  });

  it('carry the real addresses and no default ones', () => {
    for (const { code, intro } of snippetsFor(addresses)) {
      expect(code + intro).not.toMatch(/localhost/);
      expect(code + intro).toMatch(/10\.0\.0\.5|6831/);
    }
  });

  it('give the collector an address without a scheme and Jaeger agents host and port apart', () => {
    const byId = new Map(snippetsFor(addresses).map((snippet) => [snippet.id, snippet.code]));
    expect(byId.get('collector')).toContain('endpoint: 10.0.0.5:14317');
    expect(byId.get('jaeger')).toContain('JAEGER_AGENT_HOST=10.0.0.5\nexport JAEGER_AGENT_PORT=16831');
  });
});
