import { formatPage } from '@clew/api';
import { QueryClientProvider } from '@tanstack/react-query';
import { lazy, Suspense, useEffect } from 'react';
import type { ReactElement } from 'react';
import { ErrorBoundary } from '../ui/ErrorBoundary.tsx';
import { EmptyState, ProgressLine } from '../ui/states.tsx';
import { ButtonLink } from '../ui/controls.tsx';
import { ExplorePage } from '../pages/explore/ExplorePage.tsx';
import { HomePage } from '../pages/HomePage.tsx';
import { usePage } from './address.ts';
import styles from './App.module.css';
import { GlobalBar } from './GlobalBar.tsx';
import { queryClient } from './queries.ts';
import { ShortcutSheet } from './ShortcutSheet.tsx';
import { listenForShortcuts } from './shortcuts.ts';
import { ToastList } from './ToastList.tsx';

const TracePage = lazy(async () => ({ default: (await import('../pages/trace/TracePage.tsx')).TracePage }));
const WelcomePage = lazy(async () => ({ default: (await import('../pages/welcome/WelcomePage.tsx')).WelcomePage }));

/** The frame around every page. */
export function App(): ReactElement {
  const page = usePage();
  const path = formatPage(page).split('?', 1)[0] ?? '/';
  useEffect(listenForShortcuts, []);
  return (
    <QueryClientProvider client={queryClient}>
      <a href="#content" className={styles['skip']} onClick={skipToContent}>
        Skip to content
      </a>
      <GlobalBar page={page} />
      <main id="content" className={styles['main']} tabIndex={-1}>
        <ErrorBoundary resetKey={path}>
          <Suspense fallback={<ProgressLine active />}>
            <CurrentPage />
          </Suspense>
        </ErrorBoundary>
      </main>
      <ShortcutSheet />
      <ToastList />
    </QueryClientProvider>
  );
}

function skipToContent(event: { readonly preventDefault: () => void }): void {
  // A fragment in the address would be lost on the next step, and <base> would change the path.
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function CurrentPage(): ReactElement {
  const page = usePage();
  switch (page.page) {
    case 'home':
      return <HomePage />;
    case 'explore':
      return <ExplorePage state={page.state} />;
    case 'trace':
      return <TracePage key={page.state.traceId ?? ''} state={page.state} />;
    case 'welcome':
      return <WelcomePage />;
    default:
      return <UnknownPage />;
  }
}

function UnknownPage(): ReactElement {
  useEffect(() => {
    document.title = 'Not found · Clew';
  }, []);
  return (
    <EmptyState
      wholePage
      title="There is no page at this address"
      actions={<ButtonLink to="/explore">Go to Explore</ButtonLink>}
    >
      <p>The link may be from a newer version, or mistyped.</p>
    </EmptyState>
  );
}
