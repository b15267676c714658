import { formatPage } from '@clew/api';
import type { PageState } from '@clew/api';
import { useEffect } from 'react';
import type { ReactElement } from 'react';
import { useStore } from '../lib/store.ts';
import { Button, PageLink } from '../ui/controls.tsx';
import { BrandMark } from '../ui/Icon.tsx';
import { goTo } from './address.ts';
import { GlobalSearch } from './GlobalSearch.tsx';
import styles from './GlobalBar.module.css';
import { preferences, setPreferences } from './preferences.ts';
import { shortcutSheetOpen } from './ShortcutSheet.tsx';
import { useShortcuts } from './shortcuts.ts';

/** Pages with a place in the bar, in order; a page is added here and in `App.tsx`. */
const entries = [
  { page: 'explore', title: 'Explore', keys: 'g e', target: '/explore' },
  { page: 'welcome', title: 'Send traces', keys: 'g w', target: '/welcome' },
] as const;

const nextTheme = { auto: 'light', light: 'dark', dark: 'auto' } as const;
const themeIcon = { auto: 'auto', light: 'sun', dark: 'moon' } as const;
const themeName = { auto: 'follows the system', light: 'light', dark: 'dark' } as const;

/** The bar on every page: where am I, where can I go, what am I looking for. */
export function GlobalBar({ page }: { readonly page: PageState }): ReactElement {
  const theme = useStore(preferences, (current) => current.theme);
  useShortcuts('Go to', [
    ...entries.map((entry) => ({ keys: entry.keys, label: entry.title, run: () => goTo(entry.target) })),
    { keys: 'g h', label: 'Home', run: () => goTo('/') },
  ]);
  useEffect(() => {
    if (page.page !== 'trace' && page.page !== 'unknown') document.title = `${pageTitle(page)} · Clew`;
  }, [page]);
  const current = page.page === 'trace' ? 'explore' : page.page;
  return (
    <header className={styles['bar']}>
      <PageLink to="/" className={styles['brand']} aria-label="Clew, home">
        <BrandMark />
        <span>Clew</span>
      </PageLink>
      <nav className={styles['nav']} aria-label="Pages">
        {entries.map((entry) => (
          <PageLink
            key={entry.page}
            to={entry.page === page.page ? formatPage(page) : entry.target}
            aria-current={entry.page === current ? 'page' : undefined}
          >
            {entry.title}
          </PageLink>
        ))}
      </nav>
      <GlobalSearch />
      <div className={styles['tools']}>
        <Button
          look="quiet"
          icon={themeIcon[theme]}
          aria-label={`Theme: ${themeName[theme]}. Change`}
          onClick={() => setPreferences({ theme: nextTheme[theme] })}
        />
        <Button look="quiet" icon="help" aria-label="Keyboard shortcuts" onClick={() => shortcutSheetOpen.set(true)} />
      </div>
    </header>
  );
}

function pageTitle(page: PageState): string {
  return entries.find((entry) => entry.page === page.page)?.title ?? 'Home';
}
