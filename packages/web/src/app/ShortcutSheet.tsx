import { Dialog, DialogDismiss, DialogHeading } from '@ariakit/react/dialog';
import type { ReactElement } from 'react';
import { createStore, useStore } from '../lib/store.ts';
import { Icon } from '../ui/Icon.tsx';
import ui from '../ui/ui.module.css';
import { preferences, setPreferences } from './preferences.ts';
import { shortcutGroups, useShortcuts } from './shortcuts.ts';
import type { Shortcut, ShortcutGroup } from './shortcuts.ts';
import styles from './ShortcutSheet.module.css';

/** Whether the sheet is open. */
export const shortcutSheetOpen = createStore(false);

const keyNames: Readonly<Record<string, string>> = Object.freeze({
  ArrowUp: '↑',
  ArrowDown: '↓',
  ArrowLeft: '←',
  ArrowRight: '→',
  PageUp: 'PgUp',
  PageDown: 'PgDn',
  Escape: 'Esc',
});

/** The sheet behind `?`: what every key does on this page. */
export function ShortcutSheet(): ReactElement {
  const open = useStore(shortcutSheetOpen);
  const groups = useStore(shortcutGroups);
  const letters = useStore(preferences, (current) => current.letterShortcuts);
  useShortcuts('Anywhere', [{ keys: '?', label: 'This sheet', run: () => shortcutSheetOpen.set(true) }]);
  return (
    <Dialog
      open={open}
      onClose={() => shortcutSheetOpen.set(false)}
      className={ui['dialog']}
      backdrop={<div className={ui['dialogBackdrop']} />}
      unmountOnHide
    >
      <div className={ui['dialogHead']}>
        <DialogHeading render={<h2 />}>Keyboard</DialogHeading>
        <DialogDismiss className={`${ui['button']} ${ui['quiet']} ${ui['iconOnly']}`} aria-label="Close">
          <Icon name="close" />
        </DialogDismiss>
      </div>
      <div className={styles['groups']}>
        {mergeByTitle(groups).map((group) => (
          <section key={group.title} className={styles['group']}>
            <h3>{group.title}</h3>
            <dl>
              {group.shortcuts.map((shortcut) => (
                <div key={shortcut.keys} className={styles['line']}>
                  <dt>
                    {shortcut.keys.split(' ').map((key) => (
                      <Key key={key} name={key} />
                    ))}
                  </dt>
                  <dd>{shortcut.label}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <label className={styles['option']}>
        <input
          type="checkbox"
          checked={letters}
          onChange={(event) => setPreferences({ letterShortcuts: event.target.checked })}
        />
        Shortcuts of a single character
      </label>
    </Dialog>
  );
}

/** Parts of the page may share a heading; the sheet has it once. */
function mergeByTitle(groups: readonly ShortcutGroup[]): readonly ShortcutGroup[] {
  const merged = new Map<string, Shortcut[]>();
  for (const group of groups) merged.set(group.title, [...(merged.get(group.title) ?? []), ...group.shortcuts]);
  return [...merged].map(([title, shortcuts]) => ({ title, shortcuts }));
}

function Key({ name }: { readonly name: string }): ReactElement {
  const mod = navigator.platform.startsWith('Mac') ? '⌘' : 'Ctrl';
  const parts = name
    .split('+')
    .map((part, index) => (part === 'Mod' ? mod : index > 0 ? part.toUpperCase() : (keyNames[part] ?? part)));
  const shifted = /^[A-Z]$/.test(name) ? ['Shift', name] : parts;
  return (
    <>
      {shifted.map((part) => (
        <kbd key={part}>{part}</kbd>
      ))}
    </>
  );
}
