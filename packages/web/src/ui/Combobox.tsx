import { Combobox as Input, ComboboxItem, ComboboxPopover, ComboboxProvider } from '@ariakit/react/combobox';
import { useDeferredValue, useId, useMemo, useRef, useState } from 'react';
import type { ReactElement } from 'react';
import { Icon } from './Icon.tsx';
import styles from './ui.module.css';
import combo from './Combobox.module.css';

/** One thing to choose. */
export interface ComboOption {
  readonly value: string;
  /** A short text at the right, such as a count. */
  readonly note?: string;
}

/** More are not drawn; typing narrows the list. */
const maxOptionsShown = 80;

/** A text field with a list of what it may hold. Free text is taken too: a service may have no spans in range. */
export function ComboField({
  label,
  value,
  options,
  onChange,
  placeholder,
  loading = false,
}: {
  readonly label: string;
  readonly value: string | undefined;
  readonly options: readonly ComboOption[];
  readonly onChange: (value: string | undefined) => void;
  readonly placeholder: string;
  readonly loading?: boolean;
}): ReactElement {
  const id = useId();
  const [draft, setDraft] = useState(value ?? '');
  const [open, setOpen] = useState(false);
  const shown = useRef(value);
  if (shown.current !== value) {
    shown.current = value;
    setDraft(value ?? '');
  }
  const typed = useDeferredValue(draft === (value ?? '') ? '' : draft);
  const matches = useMemo(() => filterOptions(options, typed), [options, typed]);
  const commit = (text: string): void => {
    const next = text.trim() === '' ? undefined : text.trim();
    setDraft(next ?? '');
    if (next !== value) onChange(next);
  };
  return (
    <div className={styles['field']}>
      <label className={styles['fieldLabel']} htmlFor={id}>
        {label}
      </label>
      <ComboboxProvider
        value={draft}
        setValue={setDraft}
        setSelectedValue={(selected) => commit(String(selected))}
        selectedValue=""
        open={open}
        setOpen={setOpen}
      >
        <div className={combo['box']}>
          <Input
            id={id}
            className={styles['input']}
            placeholder={placeholder}
            autoSelect={typed !== ''}
            spellCheck={false}
            onFocus={(event) => event.currentTarget.select()}
            onBlur={() => commit(draft)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && !open) commit(draft);
            }}
          />
          {value === undefined ? (
            <span className={combo['arrow']}>
              <Icon name="down" size={12} />
            </span>
          ) : (
            <button type="button" className={combo['clear']} aria-label={`Clear ${label}`} onClick={() => commit('')}>
              <Icon name="close" size={12} />
            </button>
          )}
        </div>
        <ComboboxPopover
          gutter={4}
          sameWidth={false}
          className={`${styles['popover']} ${combo['list']}`}
          aria-label={label}
        >
          {matches.slice(0, maxOptionsShown).map((option) => (
            <ComboboxItem
              key={option.value}
              value={option.value}
              className={styles['option']}
              focusOnHover
              setValueOnClick={false}
            >
              <span>{option.value}</span>
              {option.note === undefined ? null : <span className={styles['optionNote']}>{option.note}</span>}
            </ComboboxItem>
          ))}
          {matches.length > maxOptionsShown ? (
            <div className={styles['noOption']}>{matches.length - maxOptionsShown} more: type to narrow</div>
          ) : null}
          {matches.length === 0 ? (
            <div className={styles['noOption']}>
              {loading ? 'Loading…' : typed === '' ? 'None in this time range' : 'No match'}
            </div>
          ) : null}
        </ComboboxPopover>
      </ComboboxProvider>
    </div>
  );
}

/** Options that contain the text, those that start with it first. */
export function filterOptions(options: readonly ComboOption[], text: string): readonly ComboOption[] {
  const needle = text.trim().toLowerCase();
  if (needle === '') return options;
  const starting: ComboOption[] = [];
  const containing: ComboOption[] = [];
  for (const option of options) {
    const at = option.value.toLowerCase().indexOf(needle);
    if (at === 0) starting.push(option);
    else if (at > 0) containing.push(option);
  }
  return [...starting, ...containing];
}
