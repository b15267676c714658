import { describe, expect, it } from 'vitest';
import { PrometheusMeter } from '@clew/base/node';
import type { ClientConnection } from '../../proxy/exchange.ts';
import { EventFigures } from './event-figures.ts';

const connection: ClientConnection = {
  listenerId: 'l',
  clientIp: '127.0.0.1',
  clientPort: 1,
  localPort: 2,
  requests: 0,
  closing: false,
};
const overTls = (version: string, handshakeMs: number): ClientConnection => ({
  ...connection,
  tls: { version, cipher: 'c', serverName: '', handshakeMs },
});

async function valueOf(meter: PrometheusMeter, name: string): Promise<Record<string, number>> {
  const families = await meter.collect();
  const samples = families.flatMap((family) => family.samples).filter((sample) => sample.name === name);
  return Object.fromEntries(samples.map(({ labels, value }) => [Object.values(labels).join(' '), value]));
}

describe('figures of TLS', () => {
  it('count handshakes by version, and none for plain connections', async () => {
    const meter = new PrometheusMeter();
    const figures = new EventFigures(meter);
    for (const opened of [connection, overTls('TLSv1.3', 20), overTls('TLSv1.3', 40), overTls('TLSv1.2', 5)]) {
      figures.connectionOpened(opened);
    }
    expect(await valueOf(meter, 'zentinel_tls_handshake_duration_seconds_count')).toEqual({ 'TLS1.3': 2, 'TLS1.2': 1 });
    const sums = await valueOf(meter, 'zentinel_tls_handshake_duration_seconds_sum');
    expect(sums['TLS1.3']).toBeCloseTo(0.06);
    expect(await valueOf(meter, 'zentinel_connections_total')).toEqual({ l: 4 });
  });

  it('count what came to nothing by its reason', async () => {
    const meter = new PrometheusMeter();
    const figures = new EventFigures(meter);
    figures.handshakeFailed('l', 'refused');
    figures.handshakeFailed('l', 'refused');
    figures.handshakeFailed('l', 'timeout');
    expect(await valueOf(meter, 'clew_gateway_tls_handshake_failures_total')).toEqual({
      'l refused': 2,
      'l timeout': 1,
    });
  });
});
