import { describe, expect, it } from 'vitest';
import { banner } from './banner.ts';

const facts = {
  version: '1.2.3',
  listenHost: '127.0.0.1',
  dataDirectory: '/var/lib/clew',
  startedInMs: 1234,
  acknowledgements: [{ receiver: 'otlp', durable: true, text: 'acknowledged = durable' }],
  warnings: [],
} satisfies Parameters<typeof banner>[0];

describe('the start banner', () => {
  it('says where to look, where to send, where data lies and what acknowledged means', () => {
    const text = banner(facts);
    expect(text).toContain('Clew 1.2.3 is ready (1.2 s)');
    expect(text).toContain('http://127.0.0.1:16686');
    expect(text).toContain('http://127.0.0.1:4318 (HTTP)  127.0.0.1:4317 (gRPC)');
    expect(text).toContain('/var/lib/clew');
    expect(text).toContain('otlp: acknowledged = durable');
    expect(text).not.toContain('Warning');
  });

  it('shows an address people can open when it listens on all of them', () => {
    expect(banner({ ...facts, listenHost: '0.0.0.0' })).toContain('http://localhost:16686');
    expect(banner({ ...facts, listenHost: '::1' })).toContain('http://[::1]:16686');
  });

  it('prints every warning on a line of its own', () => {
    const text = banner({ ...facts, warnings: ['no token', 'no health check'] });
    expect(text.match(/^ {2}Warning {2}no .*$/gm)).toHaveLength(2);
  });
});
