import { describe, expect, it } from 'vitest';
import { SamplingAnswers } from './sampling-rule.ts';

interface Targets {
  readonly LastRuleModification: number;
  readonly SamplingTargetDocuments: readonly { readonly ReservoirQuota: number; readonly ReservoirQuotaTTL: number }[];
  readonly UnprocessedStatistics: readonly object[];
}

const report = (client: string, rule = 'Default') => ({ RuleName: rule, ClientID: client, RequestCount: 1 });
const reports = (...documents: readonly object[]) => ({ SamplingStatisticsDocuments: documents });

function answering(reservoirSize: number, fixedRate = 0.05) {
  const answers = new SamplingAnswers({ fixedRate, reservoirSize }, 1_000);
  return { answers, ask: (request: unknown, at = 1_010) => answers.targets(request, at) as Targets };
}

describe('a sampling report that is none', () => {
  it.each([null, 5, 'x', [], {}, { SamplingStatisticsDocuments: 7 }, reports({}, { RuleName: 1, ClientID: 'c' })])(
    '%j is answered with no target',
    (request) => {
      const { ask, answers } = answering(1);
      expect(ask(request)).toEqual({
        LastRuleModification: 1_000,
        SamplingTargetDocuments: [],
        UnprocessedStatistics: [],
      });
      expect(answers.clientCount).toBe(0);
    },
  );

  it('is told so when its rule is not known', () => {
    expect(answering(1).ask(reports(report('a', 'mine'))).UnprocessedStatistics).toEqual([
      { RuleName: 'mine', ErrorCode: '400', Message: 'there is no rule but Default' },
    ]);
  });

  it('is cut to 25 rules, and clients beyond ten thousand get no part of their own', () => {
    const { answers, ask } = answering(1);
    const many = (from: number) => reports(...Array.from({ length: 100 }, (_, n) => report(`client ${from + n}`)));
    expect(ask(many(0)).SamplingTargetDocuments).toHaveLength(25);
    for (let from = 0; from < 10_100; from += 25) ask(many(from));
    expect(answers.clientCount).toBe(10_000);
    expect(ask(reports(report('one more'))).SamplingTargetDocuments).toMatchObject([{ ReservoirQuota: 0 }]);
  });
});

describe('the sampling rule', () => {
  it('is X-Ray’s rule of last resort with the configured rate', () => {
    expect(answering(2, 0.25).answers.rules()).toMatchObject({
      SamplingRuleRecords: [
        {
          CreatedAt: 1_000,
          SamplingRule: { RuleName: 'Default', FixedRate: 0.25, ReservoirSize: 2, ServiceName: '*', URLPath: '*' },
        },
      ],
    });
  });

  it('has one reservoir whose parts add up, however many clients share it', () => {
    const { ask } = answering(10);
    const quotas = () =>
      ['a', 'b', 'c'].map((id) => ask(reports(report(id))).SamplingTargetDocuments[0]!.ReservoirQuota);
    expect(quotas()).toEqual([10, 5, 3]);
    expect(quotas()).toEqual([4, 3, 3]);
  });

  it('gives a client’s part to others once it should have asked again', () => {
    const { ask, answers } = answering(10);
    ask(reports(report('a'), report('b')), 1_000);
    expect(ask(reports(report('a')), 1_030).SamplingTargetDocuments).toMatchObject([
      { FixedRate: 0.05, ReservoirQuota: 5, ReservoirQuotaTTL: 1_060, Interval: 10 },
    ]);
    expect(ask(reports(report('a')), 1_031).SamplingTargetDocuments).toMatchObject([{ ReservoirQuota: 10 }]);
    expect(answers.clientCount).toBe(1);
  });
});
