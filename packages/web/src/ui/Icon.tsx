import type { ReactElement } from 'react';

const paths = Object.freeze({
  search: 'M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10Zm3.6-1.4L14 14',
  close: 'M3.5 3.500l9 9m0-9l-9 9',
  copy: 'M5.5 5.500v-3h8v8h-3m-8-5h8v8h-8z',
  check: 'M2.5 8.500l3.5 3.5 7.5-8',
  refresh: 'M13 8a5 5 0 1 1-1.5-3.600M13 2v3h-3',
  clock: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Zm0-9v3.200l2.2 1.6',
  help: 'M5.8 6a2.2 2.2 0 1 1 3.3 2c-.8.5-1.1.9-1.1 1.700M8 12.400v.1',
  sun: 'M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6Zm0-9.500v1.200m0 10.600v1.200M1.5 8h1.200m10.6 0h1.200M3.4 3.400l.9.9m7.4 7.400l.9.9m0-9.200l-.9.9m-7.4 7.400l-.9.9',
  moon: 'M13 9.500A5.5 5.5 0 0 1 6.5 3a5.5 5.5 0 1 0 6.5 6.500Z',
  auto: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12',
  chevron: 'M6 3.500L10.5 8 6 12.5',
  down: 'M3.5 6L8 10.5 12.5 6',
  warning: 'M8 2L1.5 13.500h13L8 2Zm0 4.500v3.300m0 1.900v.1',
  error: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Zm0-9v4m0 2v.1',
  info: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12Zm0-6.500V11m0-6v.1',
  link: 'M6.5 9.500l3-3M7 4.500l1.5-1.500a3 3 0 0 1 4.3 4.300L11.2 8.800M9 11.500L7.5 13a3 3 0 0 1-4.3-4.300l1.6-1.6',
  play: 'M4.5 2.500l9 5.5-9 5.500z',
  table: 'M2 3h12v10H2zM2 6.500h12M2 10h12M6.5 3v10',
  expand: 'M4 6l4-4 4 4M4 10l4 4 4-4',
  collapse: 'M4 2l4 4 4-4M4 14l4-4 4 4',
  up: 'M3.5 10L8 5.500l4.5 4.5',
  trash: 'M2.5 4h11M6 4V2.500h4V4m-6 0l.7 9.500h6.600L12 4M6.7 6.500v4.500m2.6-4.500v4.5',
  zoomOut: 'M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10Zm3.6-1.400L14 14M5 7h4',
});

/** The name of an icon. */
export type IconName = keyof typeof paths;

/** A 16-pixel icon in the colour of the text; decoration only, so name its button. */
export function Icon({ name, size = 16 }: { readonly name: IconName; readonly size?: number }): ReactElement {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={paths[name]} />
    </svg>
  );
}

/** The mark of the product: a ball of thread. */
export function BrandMark({ size = 20 }: { readonly size?: number }): ReactElement {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 32 32"
      fill="none"
      stroke="currentColor"
      strokeWidth="2.4"
      strokeLinecap="round"
      aria-hidden="true"
      focusable="false"
    >
      <circle cx="14" cy="14" r="11" />
      <path d="M5.5 20.500C10 15 16 9.5 22.5 7M4 11c4.5 3 11 8.5 14 13M9 4.500c3.5 4.5 10 9.5 15.5 11.500M22.5 21c2.5 3 4 6.5 7.5 7" />
    </svg>
  );
}
