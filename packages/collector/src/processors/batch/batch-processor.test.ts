import { silentTelemetry } from '@clew/base';
import { PrometheusMeter } from '@clew/base/node';
import { fromPlain } from '@clew/model';
import { Refusal } from '@clew/pipeline';
import {
  RecordingConsumer,
  TestHost,
  describeProcessorContract,
  eventually,
  farDeadline,
  sampleSpans,
  settingProblems,
  settingsFor,
  spanIds,
  testContext,
} from '@clew/pipeline/contract-tests';
import { describe, expect, it } from 'vitest';
import { batchProcessorFactory as factory } from './index.ts';

describeProcessorContract({ factory, settings: { timeout: '5ms', send_batch_size: 4 }, acknowledgesEarly: true });
describeProcessorContract({ factory, settings: { timeout: '0s', send_batch_max_size: 8192 } });

const waiting = { timeout: '1h', send_batch_size: 10 };

async function running(settings: unknown, durable = false) {
  const next = new RecordingConsumer();
  if (!durable) next.durable = { kind: 'memory', why: 'a test' };
  const meter = new PrometheusMeter();
  const lines: { message: string; fields: unknown }[] = [];
  const log = (message: string, fields?: unknown) => void lines.push({ message, fields });
  const logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  const batch = factory.create(
    settingsFor(factory, settings, { telemetry: { ...silentTelemetry, logger, meter } }),
    next,
  );
  await batch.start(new TestHost());
  const take = (spans: number, extra = {}) => batch.consumeTraces(fromPlain(sampleSpans(spans)), testContext(extra));
  const sizes = () => next.batches.map((one) => one.length);
  const metrics = () => meter.expose({ withoutScopeInfo: true, withoutUnits: true, withoutTypeSuffix: true });
  return { batch, next, take, sizes, lines, metrics, stop: () => batch.stop(farDeadline()) };
}

describe('the settings of batch', () => {
  it.each([
    [
      { send_batch_size: 10, send_batch_max_size: 5 },
      'batch: send_batch_max_size must be greater or equal to send_batch_size',
    ],
    [{ timeout: '-1s' }, 'batch: timeout must be greater or equal to 0'],
    [{ metadata_keys: ['x-a', 'X-A'] }, 'batch: duplicate entry in metadata_keys: "x-a" (case-insensitive)'],
    [{ timeout: 'soon' }, `'timeout' time: invalid duration "soon"`],
    [{ send_batch_sise: 1 }, `'' has invalid keys: send_batch_sise (did you mean "send_batch_size"?)`],
  ])('refuse %j', (settings, message) => expect(settingProblems(factory, settings)).toEqual([message]));
});

describe('the batch processor', () => {
  it('logs and counts a batch that what follows refuses, for its senders were told yes', async () => {
    const { next, take, lines, metrics, stop } = await running({ timeout: '1h', send_batch_size: 2 });
    next.refuse = () => new Refusal('unavailable', 'backend gone');
    await take(2);
    await stop();
    expect(lines).toContainEqual({ message: 'Sender failed', fields: { error: 'backend gone', dropped_items: 2 } });
    expect(await metrics()).toContain('otelcol_processor_dropped_spans{processor="batch"} 2\n');
  });

  it('sends nothing before there is enough, everything that is there then, and the rest when it stops', async () => {
    const { take, sizes, stop, metrics } = await running(waiting);
    await take(4);
    await take(5);
    expect(sizes()).toEqual([]);
    await take(6);
    await take(3);
    expect(sizes()).toEqual([15]);
    await stop();
    expect(sizes()).toEqual([15, 3]);
    expect(await metrics()).toContain('otelcol_processor_batch_batch_size_trigger_send{processor="batch"} 1\n');
  });

  it('sends what has waited long enough', async () => {
    const { take, sizes, stop, metrics } = await running({ timeout: '1ms', send_batch_size: 1000 });
    await take(3);
    await eventually('the timeout sends', () => sizes().length === 1);
    expect(await metrics()).toContain('otelcol_processor_batch_timeout_trigger_send{processor="batch"} 1\n');
    await stop();
    expect(sizes()).toEqual([3]);
  });

  it('splits at the largest size, and keeps what is less than a batch', async () => {
    const { next, batch, sizes, stop } = await running({ timeout: '1h', send_batch_size: 4, send_batch_max_size: 6 });
    const spans = sampleSpans(20);
    await batch.consumeTraces(fromPlain(spans), testContext());
    expect(sizes()).toEqual([6, 6, 6]);
    expect(batch.snapshot()).toMatchObject({ pendingSpans: 2 });
    await stop();
    expect(sizes()).toEqual([6, 6, 6, 2]);
    expect(next.spans).toEqual(spans);
  });

  it('keeps tenants and combinations of metadata apart, and carries only those', async () => {
    const { next, take, stop } = await running({ ...waiting, metadata_keys: ['X-Team'] });
    const metadata = (team: string) =>
      new Map([
        ['x-team', [team]],
        ['authorization', ['secret']],
      ]);
    await take(1, { metadata: metadata('red'), bodyHash: 'f'.repeat(32) });
    await take(1, { metadata: metadata('blue') });
    await take(1, { metadata: metadata('red') });
    await take(1, { tenant: 'other', metadata: metadata('red') });
    await stop();
    const seen = next.contexts.map(({ tenant, metadata: carried, bodyHash }, index) => [
      next.batches[index]!.length,
      tenant,
      [...(carried ?? [])],
      bodyHash,
    ]);
    expect(seen).toEqual([
      [2, 'single-tenant', [['x-team', ['red']]], undefined],
      [1, 'single-tenant', [['x-team', ['blue']]], undefined],
      [1, 'other', [['x-team', ['red']]], undefined],
    ]);
  });

  it('refuses for good when there are too many combinations', async () => {
    const { take, stop } = await running({ ...waiting, metadata_keys: ['a'], metadata_cardinality_limit: 1 });
    await take(1, { metadata: new Map([['a', ['1']]]) });
    await expect(take(1, { metadata: new Map([['a', ['2']]]) })).rejects.toMatchObject({
      code: 'permanent',
      message: expect.stringMatching(
        /^too many batcher metadata-value combinations; raise metadata_cardinality_limit \(1\)/,
      ) as string,
    });
    await stop();
  });

  it('forgets tenants that have nothing waiting when there are very many', async () => {
    const { batch, next, take, stop } = await running({ timeout: '1h', send_batch_size: 1 });
    for (let tenant = 0; tenant < 1001; tenant++) await take(1, { tenant: `tenant ${tenant}` });
    expect(batch.snapshot()['combinations']).toBeLessThan(10);
    await stop();
    expect(next.spans).toHaveLength(1001);
  });

  it('lets whoever fills one batch too many wait, so that a slow backend is felt', async () => {
    const { next, take, stop } = await running({ timeout: '1h', send_batch_size: 1 });
    const release = next.hold();
    for (let i = 0; i < 4; i++) await take(1);
    let waited = false;
    const fifth = take(1).then(() => (waited = true));
    await eventually('the fifth is being sent', () => next.calls === 5);
    expect(waited).toBe(false);
    release();
    await fifth;
    await stop();
    expect(next.spans).toHaveLength(5);
  });

  it('steps aside in front of something durable: the sender hears what follows says', async () => {
    const { batch, next, take, sizes, stop } = await running(waiting, true);
    expect(batch.durability()).toEqual({ kind: 'durable' });
    await take(1, { bodyHash: 'a'.repeat(32) });
    expect(sizes()).toEqual([1]);
    expect(next.contexts[0]?.bodyHash).toBe('a'.repeat(32));
    next.refuse = () => new Refusal('unavailable', 'journal full');
    await expect(take(1)).rejects.toThrow('journal full');
    await stop();
  });

  it('steps aside when only a part of what follows is durable', async () => {
    const { next, take, sizes, stop } = await running(waiting);
    next.durable = { kind: 'memory', why: 'a queue beside the journal', partly: true };
    await take(1);
    expect(sizes()).toEqual([1]);
    await stop();
  });

  it('still splits where it steps aside, and then the pieces are not the request any more', async () => {
    const { next, batch, sizes, stop } = await running({ send_batch_size: 2, send_batch_max_size: 3 }, true);
    const spans = sampleSpans(7);
    await batch.consumeTraces(fromPlain(spans), testContext({ bodyHash: 'a'.repeat(32) }));
    expect(sizes()).toEqual([3, 3, 1]);
    expect(next.contexts.map(({ bodyHash }) => bodyHash)).toEqual([undefined, undefined, undefined]);
    expect(spanIds(next.spans)).toEqual(spanIds(spans));
    await stop();
  });

  it('says that it acknowledges early, and why else an acknowledgement is in memory', async () => {
    const { batch, stop } = await running(waiting);
    expect(batch.durability()).toEqual({
      kind: 'memory',
      why: 'processor "batch" acknowledges before it passes spans on; a test',
    });
    await stop();
  });

  it('stops at its deadline though what follows hangs', async () => {
    const { batch, next, take } = await running(waiting);
    const release = next.hold();
    await take(1);
    await batch.stop(AbortSignal.timeout(1));
    release();
  });
});
