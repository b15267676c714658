import { fromPlain } from '@clew/model';
import {
  RecordingConsumer,
  describeProcessorContract,
  sampleSpans,
  settingProblems,
  settingsFor,
  testContext,
} from '@clew/pipeline/contract-tests';
import { describe, expect, it } from 'vitest';
import { resourceProcessorFactory as factory } from './index.ts';

describeProcessorContract({
  factory,
  settings: { attributes: [{ key: 'not.there', action: 'delete' }] },
  changing: { settings: { attributes: [{ key: 'zone', action: 'upsert', value: 'a' }] }, spans: sampleSpans(4) },
});

describe('the resource processor', () => {
  it('refuses a list without actions', () => {
    expect(settingProblems(factory, {})).toEqual(['resource::attributes: missing required field "attributes"']);
  });

  it('edits every resource and no span', async () => {
    const next = new RecordingConsumer();
    const attributes = [
      { key: 'zone', action: 'insert', value: 'a' },
      { key: 'host.cpus', action: 'convert', converted_type: 'string' },
    ];
    const processor = factory.create(settingsFor(factory, { attributes }), next);
    const spans = sampleSpans(4);
    await processor.consumeTraces(fromPlain(spans), testContext());
    expect(next.spans.map(({ attributes: own }) => own)).toEqual(spans.map(({ attributes: own }) => own));
    const resources = next.spans.map(({ resource }) =>
      Object.fromEntries(resource.attributes.map(({ key, value }) => [key, value])),
    );
    expect(resources.slice(0, 2)).toEqual([
      { 'service.name': 'orders', 'host.cpus': '8', zone: 'a' },
      { 'service.name': 'payment', 'host.cpus': '8', zone: 'a' },
    ]);
  });
});
