import { assignServiceColors, serviceSlots } from '../lib/service-colors.ts';
import type { ServiceColor } from '../lib/service-colors.ts';
import { selfTimeByService } from './coverage.ts';
import type { TraceModel } from './model.ts';

/** Colours a canvas draws with, read from the page's custom properties. */
export interface CanvasColors {
  readonly background: string;
  readonly text: string;
  readonly textMuted: string;
  readonly gridLine: string;
  readonly line: string;
  readonly lineStrong: string;
  readonly hover: string;
  readonly selected: string;
  readonly accent: string;
  readonly error: string;
  readonly warning: string;
  readonly strip: string;
  /** By slot. */
  readonly services: readonly string[];
  readonly font: string;
}

/** Reads the colours in force; call again when the theme changes. */
export function readColors(element: Element): CanvasColors {
  const style = getComputedStyle(element);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  return {
    background: token('--bg'),
    text: token('--text'),
    textMuted: token('--text-muted'),
    gridLine: token('--grid-line'),
    line: token('--line'),
    lineStrong: token('--line-strong'),
    hover: token('--bg-hover'),
    selected: token('--bg-selected'),
    accent: token('--accent'),
    error: token('--error'),
    warning: token('--warning'),
    strip: token('--strip'),
    services: Array.from({ length: serviceSlots }, (_, slot) => token(`--service-${slot + 1}`)),
    font: token('--font-ui'),
  };
}

/** The colours of a trace's services, by index into `skeleton.services`. */
export function colorsOfTrace(model: TraceModel): readonly ServiceColor[] {
  const weights = selfTimeByService(model);
  return assignServiceColors(model.skeleton.services.map((name, index) => ({ name, weight: weights[index] ?? 0 })));
}
