// Whatever the gateway takes from a client, llhttp takes with the same reading. The differences that are meant have names.
import { beforeAll, describe, expect, it } from 'vitest';
import { Chance, cut } from '../../../test/http1/bytes.ts';
import { caseCount, judge, newTally, settled } from '../../../test/http1/differential.ts';
import type { KnownDifferences } from '../../../test/http1/differential.ts';
import { allowedRequests, refusedRequests } from '../../../test/http1/differences.ts';
import { requestStream } from '../../../test/http1/message-bytes.ts';
import { LlhttpRequestReader, OurRequestReader } from '../../../test/http1/request-readings.ts';
import { proxyConfig } from '../../../test/proxy/harness.ts';

const known: KnownDifferences = { refused: refusedRequests, allowed: allowedRequests, keeps: () => false };
const cases = caseCount(20_000);

let ours: OurRequestReader;
beforeAll(async () => {
  ours = new OurRequestReader((await proxyConfig('')).limits);
});

describe('requests read by the gateway and by llhttp', () => {
  it(`are read alike, or refused for a reason that has a name, in ${cases} cases`, { timeout: 900_000 }, async () => {
    const llhttp = new LlhttpRequestReader();
    const tally = newTally();
    for (let seed = 0; seed < cases;) {
      const batch = Array.from({ length: 100 }, () => {
        const chance = new Chance(seed++);
        const text = requestStream(chance);
        const pieces = cut(Buffer.from(text, 'latin1'), chance);
        return { seed: seed - 1, text, ours: ours.read(pieces), begun: llhttp.begin(pieces) };
      });
      await settled();
      for (const { begun, ...reading } of batch) {
        judge({ ...reading, reference: begun.reading }, known, tally);
        begun.end();
      }
    }
    expect(tally.unexplained).toEqual([]);
    // The cases are such that much is taken and every named difference comes up.
    expect(tally.taken).toBeGreaterThan(cases / 5);
    const names = [...tally.counts.keys()];
    for (const { name } of refusedRequests) if (name !== 'limits') expect(names).toContain(name);
  });
});
