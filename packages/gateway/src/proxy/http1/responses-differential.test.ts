// Whatever the gateway takes from an upstream, llhttp takes with the same reading. The differences that are meant have names.
import { describe, expect, it } from 'vitest';
import { Chance, cut } from '../../../test/http1/bytes.ts';
import { caseCount, judge, newTally, settled } from '../../../test/http1/differential.ts';
import type { KnownDifferences } from '../../../test/http1/differential.ts';
import { allowedResponses, refusedResponses } from '../../../test/http1/differences.ts';
import { responseStream } from '../../../test/http1/message-bytes.ts';
import { beginLlhttpResponse, beginOurResponse } from '../../../test/http1/response-readings.ts';

const cases = caseCount(20_000);

describe('responses read by the gateway and by llhttp', () => {
  it(`are read alike, or refused for a reason that has a name, in ${cases} cases`, { timeout: 900_000 }, async () => {
    const tally = newTally();
    for (let seed = 0; seed < cases;) {
      const batch = Array.from({ length: 100 }, () => {
        const chance = new Chance(seed++);
        const text = responseStream(chance);
        const pieces = cut(Buffer.from(text, 'latin1'), chance);
        const bytes = { method: chance.usually(4, 'GET', ['HEAD', 'POST']), pieces, closed: chance.oneIn(2) };
        return { seed: seed - 1, text, bytes, begun: [beginOurResponse(bytes), beginLlhttpResponse(bytes)] as const };
      });
      await settled();
      for (const { begun, bytes, ...reading } of batch) {
        const [ours, reference] = begun;
        // To llhttp, a response to HEAD without a length needs the end of the connection; there is no body in any case.
        const known: KnownDifferences = {
          refused: refusedResponses,
          allowed: allowedResponses,
          keeps: () => bytes.method === 'HEAD',
        };
        judge({ ...reading, ours: ours.reading, reference: reference.reading }, known, tally);
        ours.end();
        reference.end();
      }
    }
    expect(tally.unexplained).toEqual([]);
    // The cases are such that much is taken and every named difference comes up.
    expect(tally.taken).toBeGreaterThan(cases / 5);
    const names = [...tally.counts.keys()];
    for (const { name } of refusedResponses) expect(names).toContain(name);
  });
});
