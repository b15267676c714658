import type { ReactElement } from 'react';
import { useStore } from '../lib/store.ts';
import { Button } from '../ui/controls.tsx';
import styles from '../ui/ui.module.css';
import { dismissToast, toasts } from './toasts.ts';

/** Toasts at the lower right; announced politely, never taking the focus. */
export function ToastList(): ReactElement {
  const current = useStore(toasts);
  return (
    <div className={styles['toasts']} role="status" aria-live="polite">
      {current.map((toast) => (
        <div key={toast.id} className={styles['toast']} data-tone={toast.tone}>
          <span>{toast.text}</span>
          <Button look="quiet" small icon="close" aria-label="Dismiss" onClick={() => dismissToast(toast.id)} />
        </div>
      ))}
    </div>
  );
}
