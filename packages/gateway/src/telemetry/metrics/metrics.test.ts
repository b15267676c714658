import { describe, expect, it } from 'vitest';
import { PrometheusMeter } from '@clew/base/node';
import type { MetricFamily } from '@clew/base/node';
import type { RouteConfig } from '../../config/model/route.ts';
import { endedExchange } from '../test/exchanges.ts';
import { Distribution } from './histogram.ts';
import { mergeThreadFamilies } from './merge-threads.ts';
import { RequestFigures } from './request-figures.ts';

const samplesOf = (families: readonly MetricFamily[], name: string) =>
  families.find((family) => family.name === name)?.samples ?? [];

describe('figures of requests', () => {
  it('give methods nobody knows one label, and requests without a route one, too', () => {
    const figures = new RequestFigures();
    for (const method of ['GET', 'BREW', 'WHEN']) {
      figures.requestStarted();
      figures.requestEnded(
        endedExchange(undefined, (exchange) => {
          exchange.method = method;
          exchange.route = undefined;
        }),
      );
    }
    expect(samplesOf(figures.families(), 'zentinel_requests_total')).toEqual([
      { name: 'zentinel_requests_total', labels: { route: 'none', method: 'GET', status: '200' }, value: 1 },
      { name: 'zentinel_requests_total', labels: { route: 'none', method: 'OTHER', status: '200' }, value: 2 },
    ]);
  });

  it('stay bounded however many routes come and go', () => {
    const figures = new RequestFigures();
    for (let index = 0; index < 3000; index++) {
      const exchange = endedExchange(undefined, (changed) => (changed.route = { id: `route ${index}` } as RouteConfig));
      figures.requestStarted();
      figures.attemptEnded(exchange, exchange.attempts[0]!);
      figures.requestEnded(exchange);
    }
    const samples = samplesOf(figures.families(), 'zentinel_requests_total');
    expect(samples.length).toBeLessThanOrEqual(2001);
    expect(samples.reduce((sum, { value }) => sum + value, 0)).toBe(3000);
    expect(samples.at(-1)).toMatchObject({ labels: { route: 'other' }, value: 1000 });
  });

  it('count what runs, tries and refusals', () => {
    const figures = new RequestFigures();
    figures.requestStarted();
    figures.requestStarted();
    const exchange = endedExchange(undefined, ({ attempts }) => {
      Object.assign(attempts[0]!, { status: 0, failure: 'connection_refused' });
    });
    figures.attemptEnded(exchange, exchange.attempts[0]!);
    figures.requestEnded(Object.assign(exchange, { status: 503, answeredBy: 'gateway' }));
    figures.requestStarted();
    figures.requestEnded(endedExchange(undefined, (changed) => (changed.blocked = 'rate_limited')));
    const families = figures.families();
    const pair = { upstream: 'api-backend', route: 'api' };
    expect(samplesOf(families, 'zentinel_active_requests')[0]!.value).toBe(1);
    expect(samplesOf(families, 'zentinel_upstream_attempts_total')).toMatchObject([{ labels: pair, value: 1 }]);
    expect(samplesOf(families, 'zentinel_upstream_failures_total')).toMatchObject([
      { labels: { ...pair, reason: 'connection_refused' }, value: 1 },
    ]);
    expect(samplesOf(families, 'zentinel_blocked_requests_total').map(({ labels }) => labels['reason'])).toEqual([
      'proxy_error_503',
      'rate_limited',
    ]);
  });

  it('fall into the buckets at or above them', () => {
    const distribution = new Distribution([1, 2]);
    for (const value of [0.5, 1, 1.5, 9]) distribution.record(value);
    const samples: MetricFamily['samples'] = [];
    distribution.addSamples('m', {}, samples);
    expect(samples.map(({ name, labels, value }) => [name, labels['le'], value])).toEqual([
      ['m_bucket', '1', 2],
      ['m_bucket', '2', 3],
      ['m_bucket', '+Inf', 4],
      ['m_sum', undefined, 12],
      ['m_count', undefined, 4],
    ]);
  });
});

describe('metrics of several threads', () => {
  it('add up, but for states, of which the worst counts', async () => {
    const thread = async (requests: number, health: number, open: number): Promise<MetricFamily[]> => {
      const meter = new PrometheusMeter();
      meter.counter({ name: 'zentinel_requests_total', help: 'h' }).add(requests);
      for (const [name, value] of [
        ['zentinel_upstream_health', health],
        ['zentinel_circuit_breaker_state', open],
        ['zentinel_active_requests', requests],
      ] as const) {
        meter.gauge({ name, help: 'h', labels: ['upstream'] }).set(value, { upstream: 'a' });
      }
      return meter.collect();
    };
    const merged = mergeThreadFamilies([await thread(1, 1, 0), await thread(2, 0, 1), await thread(3, 1, 0)]);
    expect(merged.map(({ name, samples }) => [name, samples[0]!.value])).toEqual([
      ['zentinel_active_requests', 6],
      ['zentinel_circuit_breaker_state', 1],
      ['zentinel_requests_total', 6],
      ['zentinel_upstream_health', 0],
    ]);
  });

  it('say of an agent that its circuit is open when one thread does, though others try it again', async () => {
    const thread = async (state: number): Promise<MetricFamily[]> => {
      const meter = new PrometheusMeter();
      meter.gauge({ name: 'zentinel_agent_circuit_breaker_state', help: 'h' }).set(state, {});
      return meter.collect();
    };
    const merged = async (...states: number[]): Promise<number> =>
      mergeThreadFamilies(await Promise.all(states.map(thread)))[0]!.samples[0]!.value;
    expect([await merged(0, 2, 1), await merged(0, 2), await merged(0, 0)]).toEqual([1, 2, 0]);
  });
});
