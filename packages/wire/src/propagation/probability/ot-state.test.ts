import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countTracestateMembers, tracestateMember } from '../tracestate.ts';
import { OtState, otValue, parseOtState, writeOtState } from './ot-state.ts';
import { NEVER, thresholdOf, thresholdText } from './threshold.ts';
import { uint56Text } from './uint56.ts';

const RV = '0123456789abcd';

/** What is read of a tracestate. */
function shown(tracestate: string): unknown {
  const state = new OtState();
  if (!parseOtState(tracestate, state)) return undefined;
  const th = state.hasThreshold ? thresholdText(state.threshold) : undefined;
  const rv = state.hasRandomness ? uint56Text(state.randomness) : undefined;
  return { th, rv, others: state.others };
}

describe('the ot member', () => {
  it.each([
    ['', undefined],
    ['foo=1', undefined],
    ['ot=th:8', { th: '8', others: '' }],
    ['foo=1, ot=th:0', { th: '0', others: '' }],
    [`ot=rv:${RV};th:fd70a`, { th: 'fd70a', rv: RV, others: '' }],
    ['ot=a:b;th:8;c9:;d:A_.-z', { th: '8', others: 'a:b;c9:;d:A_.-z' }],
    ['ot=th:8000', { th: '8', others: '' }],
    ['ot=th:', { others: '' }],
    ['ot=th:123456789abcdef', { others: '' }],
    ['ot=th:xyz', { others: '' }],
    ['ot=th:F', { others: '' }],
    ['ot=rv:1', { others: '' }],
    [`ot=rv:${RV}0`, { others: '' }],
    [`ot=rv:${RV.toUpperCase()}`, { others: '' }],
    ['ot=th:8;th:c', { th: '8', others: '' }],
    ['ot=th:x;th:c', { th: 'c', others: '' }],
    ['ot=;;x;:y;A:1;1a:2;a:$;b:c:d;', { others: '' }],
    ['ot=th:8,ot=th:c', { th: '8', others: '' }],
  ])('of %j is read', (tracestate, expected) => {
    expect(shown(tracestate)).toEqual(expected);
  });

  it('is not rewritten as long as it says the same', () => {
    for (const tracestate of ['', 'foo=1 ,', `foo=1, ot=th:8000;x:y;rv:${RV} ,bar=2`]) {
      const state = new OtState();
      parseOtState(tracestate, state);
      expect(writeOtState(tracestate, state)).toBe(tracestate);
    }
  });

  it('moves to the left when it changes, keeping what it does not know', () => {
    const state = new OtState();
    parseOtState(`foo=1,ot=x:y;th:8;rv:${RV},bar=2`, state);
    state.setThreshold({ hi: 0xc00000, lo: 0 });
    expect(writeOtState(`foo=1,ot=x:y;th:8;rv:${RV},bar=2`, state)).toBe(`ot=rv:${RV};th:c;x:y,foo=1,bar=2`);
  });

  it('is cleaned of malformed parts', () => {
    const state = new OtState();
    parseOtState('ot=th:xyz;a:b', state);
    expect(writeOtState('ot=th:xyz;a:b', state)).toBe('ot=a:b');
    parseOtState('foo=1,ot=th:xyz', state);
    expect(writeOtState('foo=1,ot=th:xyz', state)).toBe('foo=1');
  });

  it('goes when nothing is left in it', () => {
    const state = new OtState();
    parseOtState('ot=th:8,foo=1', state);
    state.setThreshold(NEVER);
    expect(writeOtState('ot=th:8,foo=1', state)).toBe('foo=1');
  });

  it('keeps to 256 characters, leaving out others first', () => {
    const others = `long:${'x'.repeat(240)};short:1`;
    const state = new OtState();
    expect(parseOtState(`ot=${others}`, state)).toBe(true);
    state.setRandomness({ hi: 1, lo: 2 });
    state.setThreshold({ hi: 0x800000, lo: 0 });
    expect(otValue(state)).toBe('rv:00000100000002;th:8;short:1');
  });

  it('tells a threshold that the randomness contradicts', () => {
    const state = new OtState();
    expect(state.isInconsistent({ hi: 0, lo: 0 })).toBe(false);
    parseOtState('ot=th:8', state);
    expect(state.isInconsistent({ hi: 0x7fffff, lo: 0xffffffff })).toBe(true);
    expect(state.isInconsistent({ hi: 0x800000, lo: 0 })).toBe(false);
  });

  it('reads back what it wrote beside any other members', () => {
    const list = fc.constantFrom('', 'foo=1', 'foo=1 , bar=2', 'a=1,ot=x:y;th:4,b=2', 'ot=th:zz');
    fc.assert(
      fc.property(list, fc.double({ min: 1e-12, max: 1, noNaN: true }), fc.boolean(), (tracestate, share, withRv) => {
        const state = new OtState();
        parseOtState(tracestate, state);
        thresholdOf(share, state.threshold);
        state.hasThreshold = true;
        if (withRv) state.setRandomness({ hi: 0xabcdef, lo: 0x12345678 });
        const edited = writeOtState(tracestate, state);
        const back = new OtState();
        expect(parseOtState(edited, back)).toBe(true);
        expect(back).toEqual(Object.assign(state, {}));
        expect(countTracestateMembers(edited)).toBeGreaterThan(0);
        expect(tracestateMember(edited, 'foo')).toBe(tracestateMember(tracestate, 'foo'));
      }),
    );
  });
});
