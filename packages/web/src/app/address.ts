import { parsePage, translateOldLink } from '@clew/api';
import type { PageState } from '@clew/api';
import { useMemo } from 'react';
import { navigate as browserNavigate, useLocationProperty } from 'wouter/use-browser-location';
import { basePath } from './base-path.ts';

/** The address of the screen below the base path: path and query string. */
export function currentAddress(): string {
  const { pathname, search } = window.location;
  const base = basePath();
  return (pathname.startsWith(base) ? pathname.slice(base.length) || '/' : pathname) + search;
}

/** The address, kept current. */
export function useAddress(): string {
  return useLocationProperty(currentAddress);
}

/** What the address means; the same object until the address changes. */
export function usePage(): PageState {
  const address = useAddress();
  return useMemo(() => parsePage(address), [address]);
}

/**
 * Goes to an address of the page. What a person would call a step (a search, a selection) is pushed; what
 * changes continuously (zoom) replaces.
 */
export function goTo(address: string, options: { readonly replace?: boolean } = {}): void {
  if (address === currentAddress()) return;
  browserNavigate(basePath() + address, { replace: options.replace === true });
}

/** An address as an `href`, for links that also work in a new tab. */
export function hrefOf(address: string): string {
  return basePath() + address;
}

/** Replaces a link of another tool by ours, once, when the page starts. */
export function replaceOldLink(): void {
  const translated = translateOldLink(currentAddress());
  if (translated !== undefined) goTo(translated, { replace: true });
}
