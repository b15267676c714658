import { useEffect, useRef } from 'react';
import { createStore } from '../lib/store.ts';
import { preferences } from './preferences.ts';

/** A key, or two keys one after the other, and what it does. */
export interface Shortcut {
  /** As `KeyboardEvent.key` gives it (`/`, `ArrowUp`, `E` for Shift+e), `Mod+k`, or two separated by a blank. */
  readonly keys: string;
  /** What it does, as a short phrase for the shortcut sheet. */
  readonly label: string;
  readonly run: () => void;
}

/** Shortcuts of one part of the page, in the order the sheet shows them. */
export interface ShortcutGroup {
  readonly title: string;
  readonly shortcuts: readonly Shortcut[];
}

/** All groups on screen; the newest wins when two claim a key. */
export const shortcutGroups = createStore<readonly ShortcutGroup[]>([]);

const sequenceTimeoutMs = 1200;

/** Registers shortcuts while the component is on screen. `groups` may be made anew on every render. */
export function useShortcuts(title: string, shortcuts: readonly Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  const shape = shortcuts.map((shortcut) => `${shortcut.keys} ${shortcut.label}`).join('\n');
  useEffect(() => {
    const group: ShortcutGroup = {
      title,
      shortcuts: latest.current.map((shortcut, index) => ({
        ...shortcut,
        run: () => latest.current[index]?.run(),
      })),
    };
    shortcutGroups.update((groups) => [...groups, group]);
    return () => shortcutGroups.update((groups) => groups.filter((other) => other !== group));
  }, [title, shape]);
}

/** True when typing goes into the focused element, so that letters are text and no commands. */
export function isTextField(element: Element | null): boolean {
  if (!(element instanceof HTMLElement)) return false;
  if (element.isContentEditable || element instanceof HTMLTextAreaElement || element instanceof HTMLSelectElement)
    return true;
  return element instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(element.type);
}

/** The name of a pressed key as shortcuts write it. */
export function keyName(event: Pick<KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey'>): string {
  const name = event.key === ' ' ? 'Space' : event.key;
  return event.ctrlKey || event.metaKey ? `Mod+${name.toLowerCase()}` : event.altKey ? `Alt+${name}` : name;
}

/** Finds what a key does, given the key before it; `wait` when it may start a sequence. */
export function matchShortcut(
  groups: readonly ShortcutGroup[],
  previous: string | undefined,
  key: string,
): Shortcut | 'wait' | undefined {
  const all = groups.flatMap((group) => group.shortcuts).reverse();
  if (previous !== undefined) {
    const sequence = all.find((shortcut) => shortcut.keys === `${previous} ${key}`);
    if (sequence !== undefined) return sequence;
  }
  const single = all.find((shortcut) => shortcut.keys === key);
  if (single !== undefined) return single;
  return all.some((shortcut) => shortcut.keys.startsWith(`${key} `)) ? 'wait' : undefined;
}

/** Listens for keys on the whole page; returns how to stop. */
export function listenForShortcuts(): () => void {
  let previous: { readonly key: string; readonly atMs: number } | undefined;
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.isComposing) return;
    const key = keyName(event);
    if (['Shift', 'Control', 'Alt', 'Meta'].includes(event.key)) return;
    const inField = isTextField(document.activeElement);
    if (inField && !key.startsWith('Mod+')) return;
    if (!preferences.get().letterShortcuts && key.length === 1) return;
    // A dialog owns the keyboard while it is open.
    if (document.querySelector('[role=dialog]:not([hidden])') !== null && key !== 'Escape') return;
    const fresh =
      previous !== undefined && event.timeStamp - previous.atMs < sequenceTimeoutMs ? previous.key : undefined;
    const match = matchShortcut(shortcutGroups.get(), fresh, key);
    previous = match === 'wait' ? { key, atMs: event.timeStamp } : undefined;
    if (match === undefined || match === 'wait') return;
    event.preventDefault();
    match.run();
  };
  window.addEventListener('keydown', onKeyDown);
  return () => window.removeEventListener('keydown', onKeyDown);
}
