import { describe, expect, it } from 'vitest';
import { exposeText } from './exposition.ts';
import { PrometheusMeter, mergeFamilies } from './meter.ts';

const bare = { withoutScopeInfo: true, withoutUnits: true, withoutTypeSuffix: true };
const suffixed = { withoutScopeInfo: false, withoutUnits: false, withoutTypeSuffix: false };

describe('PrometheusMeter', () => {
  it('refuses one name for two kinds of metric', () => {
    const meter = new PrometheusMeter();
    meter.counter({ name: 'a', help: 'A.' });
    expect(() => meter.gauge({ name: 'a', help: 'A.' })).toThrow(
      'metric a is asked for as gauge, but exists as counter',
    );
  });

  it('gives the same metric to everyone who asks for its name', async () => {
    const meter = new PrometheusMeter();
    meter.counter({ name: 'clew_x_total', help: 'X.', labels: ['who'] }).add(1, { who: 'a' });
    meter.counter({ name: 'clew_x_total', help: 'X.', labels: ['who'] }).add(2, { who: 'a' });
    expect(await meter.expose(suffixed)).toContain('clew_x_total{who="a"} 3\n');
  });

  it('spells collector metrics bare or with unit, type and scope, as the reader says', async () => {
    const meter = new PrometheusMeter();
    meter
      .counter({ name: 'otelcol_receiver_accepted_spans', help: 'S.', otelUnit: '{spans}', labels: ['receiver'] })
      .add(5, { receiver: 'otlp' });
    meter.counter({ name: 'otelcol_process_uptime', help: 'U.', otelUnit: 's' }).add(1.5);
    meter.gauge({ name: 'otelcol_process_memory_rss', help: 'M.', otelUnit: 'By' }).set(7);
    const plain = await meter.expose(bare);
    expect(plain).toContain(
      '# TYPE otelcol_receiver_accepted_spans counter\notelcol_receiver_accepted_spans{receiver="otlp"} 5\n',
    );
    expect(plain).toContain('\notelcol_process_uptime 1.5\n');
    const long = await meter.expose(suffixed);
    expect(long).toContain(
      'otelcol_receiver_accepted_spans_total{receiver="otlp",otel_scope_name="clew",otel_scope_version=""} 5\n',
    );
    expect(long).toContain('otelcol_process_uptime_seconds_total{');
    expect(long).toContain('otelcol_process_memory_rss_bytes{');
  });

  it('reads observed metrics at every scrape and stops when the owner ends', async () => {
    const meter = new PrometheusMeter();
    let size = 1;
    const options = { name: 'otelcol_exporter_queue_size', help: 'Q.', labels: ['exporter'], otelUnit: '{batches}' };
    const end = meter.observe(options, () => [{ value: size, labels: { exporter: 'a' } }]);
    meter.observe(options, () => [{ value: 9, labels: { exporter: 'b' } }]);
    expect(await meter.expose(bare)).toContain('{exporter="a"} 1\notelcol_exporter_queue_size{exporter="b"} 9');
    size = 2;
    expect(await meter.expose(bare)).toContain('{exporter="a"} 2');
    end();
    expect(await meter.expose(bare)).not.toContain('exporter="a"');
  });

  it('writes histograms with their buckets, sum and count', async () => {
    const meter = new PrometheusMeter();
    meter.histogram({ name: 'clew_h_seconds', help: 'H.', buckets: [1, 2] }).record(1.5);
    const text = await meter.expose(bare);
    expect(text).toContain(
      'clew_h_seconds_bucket{le="1"} 0\nclew_h_seconds_bucket{le="2"} 1\nclew_h_seconds_bucket{le="+Inf"} 1\n',
    );
    expect(text).toContain('clew_h_seconds_sum 1.5\nclew_h_seconds_count 1\n');
  });

  it('leaves out what is more detailed than asked for: histograms are not basic', async () => {
    const meter = new PrometheusMeter();
    meter.counter({ name: 'clew_a_total', help: 'A.' }).add(1);
    meter.histogram({ name: 'clew_b_seconds', help: 'B.', buckets: [1] }).record(1);
    meter.gauge({ name: 'clew_c_bytes', help: 'C.', level: 'detailed' }).set(1);
    const shown = async (level: 'basic' | 'normal' | 'detailed') =>
      [...(await meter.expose({ ...bare, level })).matchAll(/# TYPE (\S+)/g)].map((match) => match[1]);
    expect(await shown('basic')).toEqual(['clew_a_total']);
    expect(await shown('normal')).toEqual(['clew_a_total', 'clew_b_seconds']);
    expect(await shown('detailed')).toEqual(['clew_a_total', 'clew_b_seconds', 'clew_c_bytes']);
  });

  it('escapes label values and writes the resource as target_info', async () => {
    const meter = new PrometheusMeter();
    meter.gauge({ name: 'g', help: 'line\nbreak', labels: ['v'] }).set(1, { v: 'a"b\\c\nd' });
    const text = await meter.expose({ ...bare, resource: { 'service.name': 'clew' } });
    expect(text).toContain('target_info{service_name="clew"} 1\n');
    expect(text).toContain('# HELP g line\\nbreak\n# TYPE g gauge\ng{v="a\\"b\\\\c\\nd"} 1\n');
  });
});

describe('mergeFamilies', () => {
  it('adds samples of equal labels and keeps the others apart', async () => {
    const parts = await Promise.all(
      ['a', 'b'].map((who) => {
        const meter = new PrometheusMeter();
        const counter = meter.counter({ name: 'clew_x_total', help: 'X.', labels: ['who'] });
        counter.add(1, { who: 'both' });
        counter.add(1, { who });
        return meter.collect();
      }),
    );
    const text = exposeText(mergeFamilies(parts), bare);
    expect(text).toContain('{who="both"} 2\n');
    expect(text).toContain('{who="a"} 1\n');
    expect(text).toContain('{who="b"} 1\n');
  });
});
