// Question: how many spans a second does one thread turn into Native blocks, ready to be inserted? 200,000 spans a block in batches of --batch spans, as a
// collector sends them: each from --services resources. Rates are per second of CPU time, so that other work on the machine disturbs them little.
//
// Usage: npm run bench -- block [--batch=100] [--services=1] [--rounds=9] [--json=FILE]
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SpanBatch } from '@clew/model';
import { SpanGenerator } from '@clew/testkit';
import type { SpanProfile } from '@clew/testkit';
import { BlockBuilder } from '../../packages/store/src/block/block-builder.ts';
import { blockByteLength } from '../../packages/store/src/block/table-block.ts';
import { spreadOf } from '../lib/percentiles.ts';

const ROWS = 200_000;
const { values: options } = parseArgs({
  options: {
    batch: { type: 'string', default: '100' },
    services: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '9' },
    json: { type: 'string', default: fileURLToPath(new URL('../results/block.json', import.meta.url)) },
  },
});
const spansPerBatch = Number(options.batch);
const rounds = Math.max(5, Number(options.rounds));

/** What one profile reached: spans per CPU second, over the rounds after the first two. */
interface Figures {
  readonly profile: SpanProfile;
  readonly spansPerSecond: { readonly median: number; readonly min: number; readonly max: number };
  readonly bytesPerSpan: number;
}

function measure(profile: SpanProfile): Figures {
  const generator = new SpanGenerator({ profile, servicesPerFill: Number(options.services) });
  const batches = Array.from({ length: ROWS / spansPerBatch }, () => {
    const batch = new SpanBatch();
    generator.fill(batch, spansPerBatch);
    return batch;
  });
  const builder = new BlockBuilder();
  const meta = { tenant: 'single-tenant', receivedUnixNano: 1_767_225_700_000_000_000n };
  const rates: number[] = [];
  let bytesPerSpan = 0;
  for (let round = 0; round < rounds + 2; round++) {
    const started = process.cpuUsage();
    for (const batch of batches) builder.append(batch, meta);
    const blocks = builder.build('00112233445566778899aabbccddeeff');
    const used = process.cpuUsage(started);
    if (round >= 2) rates.push(ROWS / ((used.user + used.system) / 1e6));
    bytesPerSpan = blockByteLength(blocks.at(-1)!) / ROWS;
    builder.confirm();
    builder.reset();
  }
  return { profile, spansPerSecond: spreadOf(rates), bytesPerSpan };
}

const figures = (['light', 'rich'] as const).map(measure);
for (const { profile, spansPerSecond, bytesPerSpan } of figures) {
  const { median, min, max } = spansPerSecond;
  const thousands = (rate: number): string => (rate / 1000).toFixed(0).padStart(5);
  console.log(
    `${profile.padEnd(6)} ${thousands(median)} k spans/s (${thousands(min)} to ${thousands(max)}), ${bytesPerSpan.toFixed(0)} bytes a span`,
  );
}
mkdirSync(dirname(options.json), { recursive: true });
writeFileSync(
  options.json,
  `${JSON.stringify({ spansPerBatch, services: Number(options.services), figures }, null, 2)}\n`,
);
