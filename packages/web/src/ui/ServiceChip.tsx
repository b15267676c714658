import type { ReactElement } from 'react';
import { preferredSlot } from '../lib/service-colors.ts';
import styles from './ui.module.css';

/** A service's name beside its colour. Outside a trace the colour follows from the name alone. */
export function ServiceChip({
  name,
  slot,
  note,
}: {
  readonly name: string;
  readonly slot?: number;
  readonly note?: string;
}): ReactElement {
  return (
    <span className={styles['chip']} title={note === undefined ? name : `${name}: ${note}`}>
      <i
        className={styles['swatch']}
        style={{ background: `var(--service-${(slot ?? preferredSlot(name)) + 1})` }}
        aria-hidden="true"
      />
      <span>{name}</span>
    </span>
  );
}
