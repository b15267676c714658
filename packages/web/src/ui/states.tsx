import { useEffect, useState } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { ApiFailure } from '../net/failure.ts';
import { Button } from './controls.tsx';
import { Icon } from './Icon.tsx';
import type { IconName } from './Icon.tsx';
import styles from './ui.module.css';

/** Nothing to show, and what to do about it. */
export function EmptyState({
  title,
  icon = 'search',
  tone = 'plain',
  wholePage = false,
  children,
  actions,
}: {
  readonly title: string;
  readonly icon?: IconName;
  readonly tone?: 'plain' | 'error';
  /** True when nothing else is on the page, whose heading this then is. */
  readonly wholePage?: boolean;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}): ReactElement {
  return (
    <div className={styles['state']}>
      <span className={styles['stateIcon']} data-tone={tone}>
        <Icon name={icon} size={20} />
      </span>
      {wholePage ? <h1>{title}</h1> : <h2>{title}</h2>}
      {children}
      {actions === undefined ? null : <div className={styles['actions']}>{actions}</div>}
    </div>
  );
}

/** A failure in place of content. */
export function ErrorState({
  error,
  title,
  wholePage = false,
  onRetry,
}: {
  readonly error: unknown;
  readonly title: string;
  readonly wholePage?: boolean;
  readonly onRetry?: () => void;
}): ReactElement {
  const message = error instanceof Error ? error.message : String(error);
  const hint = error instanceof ApiFailure ? error.hint : undefined;
  return (
    <div role="alert">
      <EmptyState
        title={title}
        icon="error"
        tone="error"
        wholePage={wholePage}
        actions={
          onRetry === undefined ? undefined : (
            <Button icon="refresh" onClick={onRetry}>
              Try again
            </Button>
          )
        }
      >
        <p>{message}</p>
        {hint === undefined ? null : <p>{hint}</p>}
      </EmptyState>
    </div>
  );
}

/** A strip above content that stays usable: partial results, stale data, notes. */
export function Banner({
  tone,
  children,
}: {
  readonly tone: 'warning' | 'error' | 'info';
  readonly children: ReactNode;
}): ReactElement {
  return (
    <div className={styles['banner']} data-tone={tone} role={tone === 'error' ? 'alert' : 'status'}>
      <Icon name={tone === 'info' ? 'info' : tone === 'error' ? 'error' : 'warning'} />
      {children}
    </div>
  );
}

/** True once `active` has been so for a while: short waits show nothing. */
export function useSlow(active: boolean, afterMs: number): boolean {
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    if (!active) {
      setSlow(false);
      return undefined;
    }
    const timer = setTimeout(() => setSlow(true), afterMs);
    return () => clearTimeout(timer);
  }, [active, afterMs]);
  return active && slow;
}

/** A thin moving line at the top of the surrounding box while something loads for longer than a blink. */
export function ProgressLine({ active }: { readonly active: boolean }): ReactElement | null {
  const slow = useSlow(active, 150);
  return slow ? <div className={styles['progress']} role="progressbar" aria-label="Loading" /> : null;
}

/** Grey lines in the shape of a list, after a second without content. */
export function SkeletonRows({ rows }: { readonly rows: number }): ReactElement | null {
  const slow = useSlow(true, 400);
  if (!slow) return null;
  return (
    <div aria-hidden="true">
      {Array.from({ length: rows }, (_, index) => (
        <div key={index} className={styles['skeletonRow']} style={{ width: `${90 - ((index * 17) % 45)}%` }} />
      ))}
    </div>
  );
}
