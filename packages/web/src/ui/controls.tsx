import type { AnchorHTMLAttributes, ButtonHTMLAttributes, MouseEvent, ReactElement, ReactNode } from 'react';
import { useId, useRef, useState } from 'react';
import { goTo, hrefOf } from '../app/address.ts';
import { copyText } from '../app/toasts.ts';
import { Icon } from './Icon.tsx';
import type { IconName } from './Icon.tsx';
import styles from './ui.module.css';

interface Look {
  readonly look?: 'normal' | 'primary' | 'quiet';
  readonly small?: boolean;
  readonly icon?: IconName;
}

function classOf({ look = 'normal', small = false, iconOnly = false }: Look & { readonly iconOnly?: boolean }): string {
  const parts = [styles['button'], look === 'normal' ? '' : styles[look], small ? styles['small'] : ''];
  return [...parts, iconOnly ? styles['iconOnly'] : ''].filter(Boolean).join(' ');
}

/** A button with a text, an icon, or both; one with only an icon needs `aria-label`. */
export function Button({
  look,
  small,
  icon,
  children,
  className,
  ...rest
}: Look & ButtonHTMLAttributes<HTMLButtonElement>): ReactElement {
  const iconOnly = children === undefined;
  const look_ = { ...(look === undefined ? {} : { look }), ...(small === undefined ? {} : { small }), iconOnly };
  return (
    <button
      type="button"
      title={iconOnly ? rest['aria-label'] : undefined}
      {...rest}
      className={`${classOf(look_)} ${className ?? ''}`}
    >
      {icon === undefined ? null : <Icon name={icon} size={small === true ? 14 : 16} />}
      {children}
    </button>
  );
}

/** A link within the page: a real address, followed without loading the page again. */
export function PageLink({
  to,
  children,
  onClick,
  ...rest
}: { readonly to: string } & AnchorHTMLAttributes<HTMLAnchorElement>): ReactElement {
  const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
    onClick?.(event);
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
    event.preventDefault();
    goTo(to);
  };
  return (
    <a {...rest} href={hrefOf(to)} onClick={follow}>
      {children}
    </a>
  );
}

/** A link that looks like a button. */
export function ButtonLink({
  to,
  look,
  icon,
  children,
}: Look & { readonly to: string; readonly children: ReactNode }): ReactElement {
  return (
    <PageLink to={to} className={classOf(look === undefined ? {} : { look })}>
      {icon === undefined ? null : <Icon name={icon} />}
      {children}
    </PageLink>
  );
}

/** Copies a text; `what` names it in the message that follows. */
export function CopyButton({
  text,
  what,
  children,
  small = true,
}: {
  readonly text: string;
  readonly what: string;
  readonly children?: ReactNode;
  readonly small?: boolean;
}): ReactElement {
  return (
    <Button
      look="quiet"
      small={small}
      icon="copy"
      aria-label={`Copy ${what}`}
      onClick={() => void copyText(text, what)}
    >
      {children}
    </Button>
  );
}

/** A labelled text field that reports its value on Enter and when it loses focus. */
export function TextField({
  label,
  value,
  onCommit,
  placeholder,
  error,
  width,
}: {
  readonly label: string;
  readonly value: string;
  readonly onCommit: (value: string) => void;
  readonly placeholder?: string;
  readonly error?: string | undefined;
  readonly width?: number;
}): ReactElement {
  const id = useId();
  const [draft, setDraft] = useState(value);
  const shown = useRef(value);
  if (shown.current !== value) {
    shown.current = value;
    setDraft(value);
  }
  const commit = (): void => {
    if (draft !== value) onCommit(draft);
  };
  return (
    <div className={styles['field']} style={width === undefined ? undefined : { width }}>
      <label className={styles['fieldLabel']} htmlFor={id}>
        {label}
      </label>
      <input
        id={id}
        className={styles['input']}
        value={draft}
        placeholder={placeholder}
        spellCheck={false}
        autoComplete="off"
        aria-invalid={error !== undefined}
        aria-describedby={error === undefined ? undefined : `${id}-error`}
        onChange={(event) => setDraft(event.target.value)}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === 'Enter') commit();
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      {error === undefined ? null : (
        <span id={`${id}-error`} className={styles['fieldError']} role="alert">
          {error}
        </span>
      )}
    </div>
  );
}

/** A choice among a few. */
export function SelectField<T extends string>({
  label,
  value,
  options,
  onChange,
}: {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
}): ReactElement {
  const id = useId();
  return (
    <div className={styles['field']}>
      <label className={styles['fieldLabel']} htmlFor={id}>
        {label}
      </label>
      <select
        id={id}
        className={styles['input']}
        value={value}
        onChange={(event) => {
          const chosen = options.find((option) => option.value === event.target.value);
          if (chosen !== undefined) onChange(chosen.value);
        }}
      >
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
