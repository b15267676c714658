import { createStore } from '../lib/store.ts';

/** Taste, not state: kept in this browser and never written by following a link. */
export interface Preferences {
  readonly theme: 'auto' | 'light' | 'dark';
  /** Shortcuts of a single letter; WCAG 2.1.4 asks that they can be turned off. */
  readonly letterShortcuts: boolean;
  /** Width of the tree column as a share of the waterfall. */
  readonly treeShare: number;
  /** Width of the side panel in CSS pixels. */
  readonly panelWidthPx: number;
  /** The tab last chosen among the snippets. */
  readonly snippet: string;
}

const storageKey = 'clew.preferences';

const defaults: Preferences = Object.freeze({
  theme: 'auto',
  letterShortcuts: true,
  treeShare: 0.38,
  panelWidthPx: 400,
  snippet: 'node',
});

function read(): Preferences {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '{}');
    return { ...defaults, ...(typeof stored === 'object' ? stored : {}) };
  } catch {
    // Storage is blocked or damaged: taste falls back to the defaults, nothing is lost.
    return defaults;
  }
}

/** The preferences, live. */
export const preferences = createStore<Preferences>(read());

/** Changes some preferences, applies the theme and keeps them. */
export function setPreferences(change: Partial<Preferences>): void {
  preferences.update((current) => ({ ...current, ...change }));
  applyTheme();
  try {
    localStorage.setItem(storageKey, JSON.stringify(preferences.get()));
  } catch {
    // Storage is blocked: the choice lasts until the page closes.
  }
}

/** Counts up whenever the colours of the page may have changed; canvases read their colours again. */
export const themeVersion = createStore(0);

/** Puts the chosen theme on the document. */
export function applyTheme(): void {
  const { theme } = preferences.get();
  const root = document.documentElement;
  if (theme === 'auto') root.removeAttribute('data-theme');
  else root.dataset['theme'] = theme;
  themeVersion.update((version) => version + 1);
}

/** Follows the system while the theme is `auto`. */
export function watchSystemTheme(): void {
  const changed = (): void => themeVersion.update((version) => version + 1);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', changed);
  window.matchMedia('(forced-colors: active)').addEventListener('change', changed);
}
