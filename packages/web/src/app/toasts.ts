import { createStore } from '../lib/store.ts';

/** A short message that appears at the edge of the page and goes by itself. */
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly tone: 'info' | 'error';
}

const showForMs = { info: 3500, error: 8000 } as const;
let nextId = 1;

/** Toasts on screen, oldest first. */
export const toasts = createStore<readonly Toast[]>([]);

/** Shows a message; errors stay longer. */
export function showToast(text: string, tone: Toast['tone'] = 'info'): void {
  const toast: Toast = { id: nextId++, text, tone };
  toasts.update((current) => [...current.slice(-3), toast]);
  setTimeout(() => dismissToast(toast.id), showForMs[tone]);
}

/** Takes a message away. */
export function dismissToast(id: number): void {
  toasts.update((current) => current.filter((toast) => toast.id !== id));
}

/** Copies text and says so; tells when the browser refuses, which it does outside a secure context. */
export async function copyText(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    showToast(`Copied ${what}`);
  } catch {
    if (copyBySelection(text)) showToast(`Copied ${what}`);
    else showToast(`The browser did not allow copying ${what}`, 'error');
  }
}

/** The way that also works on plain http: select a hidden text field and ask the document to copy. */
function copyBySelection(text: string): boolean {
  const field = document.createElement('textarea');
  field.value = text;
  field.className = 'visually-hidden';
  const focused = document.activeElement;
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  if (focused instanceof HTMLElement) focused.focus();
  return copied;
}
