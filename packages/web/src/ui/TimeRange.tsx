import { Popover, PopoverDisclosure, PopoverProvider } from '@ariakit/react/popover';
import { resolveRange, resolveTime } from '@clew/api';
import type { TimeRangeText } from '@clew/api';
import { useState } from 'react';
import type { ReactElement } from 'react';
import { useShortcuts } from '../app/shortcuts.ts';
import { formatClock, formatDateTime, formatDay } from '../lib/format.ts';
import { Button, TextField } from './controls.tsx';
import { Icon } from './Icon.tsx';
import styles from './TimeRange.module.css';
import ui from './ui.module.css';

const presets = [
  ['5m', 'Last 5 minutes'],
  ['15m', 'Last 15 minutes'],
  ['1h', 'Last hour'],
  ['3h', 'Last 3 hours'],
  ['12h', 'Last 12 hours'],
  ['1d', 'Last day'],
  ['2d', 'Last 2 days'],
  ['7d', 'Last 7 days'],
] as const;

/** A range as its button names it. */
export function describeRange(range: TimeRangeText): string {
  const preset = presets.find(([amount]) => range.to === 'now' && range.from === `now-${amount}`);
  if (preset !== undefined) return preset[1];
  const [from, to] = [shownTime(range.from), shownTime(range.to)];
  return `${from} – ${sameDay(from, to) ? to.slice(11) : to}`;
}

function sameDay(a: string, b: string): boolean {
  return /^\d{4}-\d{2}-\d{2} /.test(a) && a.slice(0, 10) === b.slice(0, 10);
}

/** Relative texts stay as they are; absolute ones become a clock time, with the day unless it is today. */
function shownTime(text: string): string {
  if (text.startsWith('now')) return text;
  const nano = resolveTime(text, Date.now());
  if (nano === undefined) return text;
  const unixMs = Number(nano / 1_000_000n);
  const isToday = formatDay(unixMs) === formatDay(Date.now());
  return isToday ? formatClock(unixMs, false) : formatDateTime(unixMs).slice(0, 19);
}

/** The range in words behind a button, with presets and two free fields. */
export function TimeRangePicker({
  range,
  onChange,
}: {
  readonly range: TimeRangeText;
  readonly onChange: (range: TimeRangeText) => void;
}): ReactElement {
  const [open, setOpen] = useState(false);
  const [draft, setDraft] = useState(range);
  useShortcuts('Time', [{ keys: 't', label: 'Time range', run: () => setOpen(true) }]);
  const isValid = resolveRange(draft, Date.now()) !== undefined;
  const apply = (next: TimeRangeText): void => {
    setOpen(false);
    onChange(next);
  };
  return (
    <PopoverProvider
      open={open}
      setOpen={(next) => {
        if (next) setDraft(range);
        setOpen(next);
      }}
      placement="bottom-end"
    >
      <PopoverDisclosure className={ui['button']}>
        <Icon name="clock" />
        {describeRange(range)}
        <Icon name="down" size={12} />
      </PopoverDisclosure>
      <Popover
        className={`${ui['popover']} ${styles['panel']}`}
        gutter={4}
        portal
        unmountOnHide
        aria-label="Time range"
      >
        <ul className={styles['presets']}>
          {presets.map(([amount, title]) => (
            <li key={amount}>
              <Button
                look="quiet"
                small
                aria-pressed={range.to === 'now' && range.from === `now-${amount}`}
                onClick={() => apply({ from: `now-${amount}`, to: 'now' })}
              >
                {title}
              </Button>
            </li>
          ))}
        </ul>
        <div className={styles['custom']}>
          <TextField label="From" value={draft.from} onCommit={(from) => setDraft({ ...draft, from })} />
          <TextField label="To" value={draft.to} onCommit={(to) => setDraft({ ...draft, to })} />
          <p className={styles['help']}>
            <code>now-3h</code>, <code>2026-01-31 14:05</code> or milliseconds since 1970.
          </p>
          {isValid ? null : (
            <p role="alert" className={ui['fieldError']}>
              From must be a time before To.
            </p>
          )}
          <Button look="primary" disabled={!isValid} onClick={() => apply(draft)}>
            Apply
          </Button>
        </div>
      </Popover>
    </PopoverProvider>
  );
}
