import { describe, expect, it } from 'vitest';
import { commandsFor } from './commands.ts';

const own = [{ id: 'help', title: 'Keyboard shortcuts', note: 'Help', target: '/x' }];
const titles = (text: string): string[] =>
  commandsFor(text, ['cart', 'checkout', 'payment'], own).map((command) => command.title);

describe('the global search box', () => {
  it('offers nothing for a query it cannot read', () => {
    expect(titles('{ .a = ')).toEqual([]);
    expect(titles('key=')).toEqual([]);
  });

  it('finds a trace id in whatever is pasted', () => {
    const [first] = commandsFor('level=error trace_id=0af7651916cd43dd8448eb211c80319c boom', [], []);
    expect(first).toMatchObject({ id: 'trace', target: '/trace/0af7651916cd43dd8448eb211c80319c' });
  });

  it('takes tags and TraceQL to Explore', () => {
    expect(commandsFor('error=true', [], [])[0]?.target).toBe('/explore?q=%7B+status+%3D+error+%7D');
    expect(commandsFor('{status=error}', [], [])[0]?.target).toBe('/explore?q=%7B+status+%3D+error+%7D');
  });

  it('finds services and its own commands by any part of their name', () => {
    expect(titles('c')).toEqual(['cart', 'checkout', 'Keyboard shortcuts']);
    expect(titles('')).toEqual(['Keyboard shortcuts']);
  });
});
