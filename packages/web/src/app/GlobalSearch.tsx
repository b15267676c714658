import { Combobox, ComboboxItem, ComboboxPopover, ComboboxProvider } from '@ariakit/react/combobox';
import { resolveRange } from '@clew/api';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useRef, useState } from 'react';
import type { ReactElement } from 'react';
import { api } from '../net/client.ts';
import { Icon } from '../ui/Icon.tsx';
import ui from '../ui/ui.module.css';
import { goTo } from './address.ts';
import { commandsFor } from './commands.ts';
import type { Command } from './commands.ts';
import styles from './GlobalBar.module.css';
import { setPreferences } from './preferences.ts';
import { shortcutSheetOpen } from './ShortcutSheet.tsx';
import { useShortcuts } from './shortcuts.ts';
import { showToast } from './toasts.ts';

const ownCommands: readonly Command[] = [
  { id: 'explore', title: 'Explore', note: 'Page', target: '/explore' },
  { id: 'welcome', title: 'Send traces', note: 'Page', target: '/welcome' },
  { id: 'light', title: 'Light theme', note: 'Action', target: () => setPreferences({ theme: 'light' }) },
  { id: 'dark', title: 'Dark theme', note: 'Action', target: () => setPreferences({ theme: 'dark' }) },
  { id: 'auto', title: 'Follow the system theme', note: 'Action', target: () => setPreferences({ theme: 'auto' }) },
  { id: 'keys', title: 'Keyboard shortcuts', note: 'Action', target: () => shortcutSheetOpen.set(true) },
];

/** One box for ids, log lines, links, services, tags and commands. */
export function GlobalSearch(): ReactElement {
  const [text, setText] = useState('');
  const [open, setOpen] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  useShortcuts('Anywhere', [{ keys: 'Mod+k', label: 'Search and commands', run: () => input.current?.focus() }]);
  const services = useQuery({
    queryKey: ['services', 'day'],
    enabled: open,
    queryFn: ({ signal }) => {
      const range = resolveRange({ from: 'now-1d', to: 'now' }, Date.now());
      if (range === undefined) throw new Error('the last day could not be resolved');
      return api.services({ ...range, limit: 1000 }, { signal });
    },
  });
  const names = useMemo(() => services.data?.services.map((service) => service.name) ?? [], [services.data]);
  const commands = useMemo(() => commandsFor(text, names, ownCommands), [text, names]);
  const run = (command: Command | undefined): void => {
    if (command === undefined) {
      showToast('Nothing here fits that. Paste a trace id, or type a service or key=value.', 'error');
      return;
    }
    setText('');
    setOpen(false);
    input.current?.blur();
    if (typeof command.target === 'string') goTo(command.target);
    else command.target();
  };
  return (
    <div className={styles['search']} role="search">
      <Icon name="search" />
      <ComboboxProvider
        value={text}
        setValue={setText}
        open={open}
        setOpen={setOpen}
        selectedValue=""
        setSelectedValue={(id) => run(commands.find((command) => command.id === id))}
      >
        <Combobox
          ref={input}
          autoSelect
          aria-label="Trace id, service, tags or command"
          placeholder="Trace id, service, key=value …"
          spellCheck={false}
          onKeyDown={(event) => {
            if (event.key === 'Escape' && !open) event.currentTarget.blur();
            if (event.key === 'Enter' && commands.length === 0 && text.trim() !== '') run(undefined);
          }}
        />
        <ComboboxPopover sameWidth gutter={4} className={ui['popover']} aria-label="Search and commands">
          {commands.map((command) => (
            <ComboboxItem
              key={command.id}
              value={command.id}
              className={ui['option']}
              focusOnHover
              setValueOnClick={false}
            >
              <span>{command.title}</span>
              <span className={ui['optionNote']}>{command.note}</span>
            </ComboboxItem>
          ))}
          {commands.length === 0 ? <div className={ui['noOption']}>No service, id or command fits</div> : null}
        </ComboboxPopover>
      </ComboboxProvider>
      <span className={styles['hint']} aria-hidden="true">
        <kbd>{navigator.platform.startsWith('Mac') ? '⌘K' : 'Ctrl K'}</kbd>
      </span>
    </div>
  );
}
