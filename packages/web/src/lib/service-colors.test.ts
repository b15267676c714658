import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignServiceColors, serviceInitials, serviceSlots, slotsByName } from './service-colors.ts';

describe('service colours', () => {
  it('are all different among the first ten services and hatched after that', () => {
    const services = Array.from({ length: 23 }, (_, i) => ({ name: `service-${i}`, weight: 100 - i }));
    const colors = assignServiceColors(services);
    expect(new Set(colors.slice(0, serviceSlots).map((color) => color.slot)).size).toBe(serviceSlots);
    expect(colors.map((color) => color.hatched)).toEqual(services.map((_, i) => i >= serviceSlots));
  });

  it('do not depend on the order services come in', () => {
    const service = fc.record({ name: fc.string({ minLength: 1 }), weight: fc.integer({ min: 0, max: 3 }) });
    const unique = fc.uniqueArray(service, { selector: (made) => made.name, maxLength: 15 });
    fc.assert(
      fc.property(unique, (services) => {
        const forward = assignServiceColors(services);
        const backward = assignServiceColors(services.toReversed()).toReversed();
        expect(backward).toEqual(forward);
      }),
    );
  });

  it('give every name of a list its own slot while there are enough', () => {
    const slots = slotsByName(['b', 'a', 'b', 'c']);
    expect(new Set(slots.values()).size).toBe(3);
    expect(slotsByName(['c', 'a', 'b'])).toEqual(
      new Map([...slots].sort((x, y) => (x[0] === 'c' ? -1 : y[0] === 'c' ? 1 : x[0] < y[0] ? -1 : 1))),
    );
  });

  it.each([
    ['order-service', 'OS'],
    ['cart', 'CA'],
    ['a', 'A'],
    ['', '?'],
    ['платежи api', 'ПA'],
  ])('abbreviate %j to %s', (name, initials) => {
    expect(serviceInitials(name)).toBe(initials);
  });
});
