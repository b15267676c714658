import { describe, expect, it } from 'vitest';
import { EventBus } from './event-bus.ts';

interface Events {
  readonly tick: number;
}

describe('EventBus', () => {
  it('goes on to the next listener when one throws, and reports what was thrown', () => {
    const errors: unknown[] = [];
    const heard: number[] = [];
    const bus = new EventBus<Events>((error) => errors.push(error));
    bus.on('tick', () => {
      throw new Error('broken listener');
    });
    bus.on('tick', (n) => heard.push(n));
    bus.emit('tick', 7);
    expect(heard).toEqual([7]);
    expect(errors).toEqual([new Error('broken listener')]);
  });

  it('ends one subscription of a function without ending its others', () => {
    const heard: number[] = [];
    const bus = new EventBus<Events>(() => expect.unreachable());
    const listener = (n: number) => heard.push(n);
    const end = bus.on('tick', listener);
    bus.on('tick', listener);
    end();
    end();
    bus.emit('tick', 1);
    expect(heard).toEqual([1]);
    expect(bus.listenerCount('tick')).toBe(1);
  });
});
