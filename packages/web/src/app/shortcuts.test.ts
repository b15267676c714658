import { describe, expect, it } from 'vitest';
import { keyName, matchShortcut } from './shortcuts.ts';
import type { ShortcutGroup } from './shortcuts.ts';

const nothing = (): void => undefined;
const group = (title: string, keys: readonly string[]): ShortcutGroup => ({
  title,
  shortcuts: keys.map((name) => ({ keys: name, label: `${title} ${name}`, run: nothing })),
});
const groups = [group('go', ['g e', 'g h']), group('page', ['e', '/', 'Mod+k']), group('top', ['/'])];
const label = (previous: string | undefined, key: string): string | undefined => {
  const match = matchShortcut(groups, previous, key);
  return match === 'wait' ? 'wait' : match?.label;
};

describe('shortcuts', () => {
  it('ignore keys nobody asked for', () => {
    expect(label(undefined, 'x')).toBeUndefined();
    expect(label('g', 'x')).toBeUndefined();
  });

  it('wait for the second key of a sequence, which wins over the same key alone', () => {
    expect(label(undefined, 'g')).toBe('wait');
    expect(label('g', 'e')).toBe('go g e');
    expect(label(undefined, 'e')).toBe('page e');
  });

  it('prefer the part of the page that came last', () => {
    expect(label(undefined, '/')).toBe('top /');
  });

  it('name keys the same on every system', () => {
    const pressed = { key: 'K', ctrlKey: false, metaKey: true, altKey: false };
    expect(keyName(pressed)).toBe('Mod+k');
    expect(keyName({ ...pressed, metaKey: false })).toBe('K');
    expect(keyName({ ...pressed, key: ' ', metaKey: false })).toBe('Space');
    expect(keyName({ ...pressed, metaKey: false, altKey: true })).toBe('Alt+K');
  });
});
