import { Combobox, ComboboxItem, ComboboxPopover, ComboboxProvider } from '@ariakit/react/combobox';
import { absorbErrorTag, formatTags, parseTags } from '@clew/api';
import type { RequestProblem, SearchFilter } from '@clew/api';
import { useQuery } from '@tanstack/react-query';
import { useId, useRef, useState } from 'react';
import type { ReactElement, RefObject } from 'react';
import { useSettled } from '../../lib/use-settled.ts';
import { api } from '../../net/client.ts';
import ui from '../../ui/ui.module.css';
import styles from './Explore.module.css';
import { completeKey, completeValue, valuesKey, wordAtCursor } from './tag-completion.ts';
import type { Completion, TagWord } from './tag-completion.ts';
import type { ResolvedSearch } from './use-search.ts';

const maxCompletions = 60;
/** How long typing must rest before the server is asked. */
const completionSettleMs = 120;

/** The tags box: `key=value` terms with completion of keys and values. */
export function TagsField({
  filter,
  search,
  onChange,
  inputRef,
}: {
  readonly filter: SearchFilter;
  readonly search: ResolvedSearch | undefined;
  readonly onChange: (filter: SearchFilter) => void;
  readonly inputRef: RefObject<HTMLInputElement | null>;
}): ReactElement {
  const id = useId();
  const shown = formatTags(filter.terms);
  const [draft, setDraft] = useState(shown);
  const [cursor, setCursor] = useState(0);
  const [open, setOpen] = useState(false);
  const [problem, setProblem] = useState<RequestProblem | undefined>(undefined);
  const before = useRef(shown);
  if (before.current !== shown) {
    before.current = shown;
    setDraft(shown);
    setProblem(undefined);
  }
  const word = wordAtCursor(draft, Math.min(cursor, draft.length));
  const completions = useCompletions(draft, word, search, open);

  const commit = (text: string): void => {
    const terms = parseTags(text);
    setProblem(terms.ok ? undefined : terms.error[0]);
    if (!terms.ok) return;
    const next = absorbErrorTag({ ...filter, terms: terms.value });
    if (formatTags(next.terms) !== shown || next.status !== filter.status) onChange(next);
    else setDraft(shown);
  };
  const accept = (completion: Completion | undefined): void => {
    if (completion === undefined) return;
    setDraft(completion.text);
    const end = word.start + (completion.text.length - draft.length) + (word.end - word.start);
    setCursor(end);
    // After React has written the text, or the cursor would be set in the old one.
    requestAnimationFrame(() => inputRef.current?.setSelectionRange(end, end));
    if (completion.text.endsWith(' ')) commit(completion.text);
  };
  return (
    <div className={`${ui['field']} ${styles['tags']}`}>
      <label className={ui['fieldLabel']} htmlFor={id}>
        Tags
      </label>
      <ComboboxProvider
        value={draft}
        setValue={setDraft}
        open={open}
        setOpen={setOpen}
        selectedValue=""
        setSelectedValue={(value) => accept(completions.find((completion) => completion.value === value))}
      >
        <Combobox
          ref={inputRef}
          id={id}
          className={ui['input']}
          placeholder="http.route=/checkout retries>2"
          spellCheck={false}
          autoComplete="list"
          aria-invalid={problem !== undefined}
          aria-describedby={problem === undefined ? undefined : `${id}-problem`}
          onSelect={(event) => setCursor(event.currentTarget.selectionStart ?? 0)}
          onBlur={() => commit(draft)}
          onKeyDown={(event) => {
            const picks = open && event.currentTarget.getAttribute('aria-activedescendant') !== null;
            if (event.key === 'Enter' && !picks) {
              setOpen(false);
              commit(draft);
            }
          }}
        />
        <ComboboxPopover
          gutter={4}
          className={`${ui['popover']} ${styles['completions']}`}
          aria-label={word.kind === 'key' ? 'Attribute keys' : `Values of ${word.key}`}
        >
          {completions.slice(0, maxCompletions).map((completion) => (
            <ComboboxItem
              key={completion.value}
              value={completion.value}
              className={ui['option']}
              focusOnHover
              setValueOnClick={false}
              hideOnClick={false}
            >
              <span>{completion.value}</span>
              {completion.note === undefined ? null : <span className={ui['optionNote']}>{completion.note}</span>}
            </ComboboxItem>
          ))}
          {completions.length === 0 ? <div className={ui['noOption']}>key=value, key&gt;number, key, !key</div> : null}
        </ComboboxPopover>
      </ComboboxProvider>
      {problem === undefined ? null : (
        <span id={`${id}-problem`} className={ui['fieldError']} role="alert">
          {problem.message}
        </span>
      )}
    </div>
  );
}

function useCompletions(
  text: string,
  word: TagWord,
  search: ResolvedSearch | undefined,
  open: boolean,
): readonly Completion[] {
  const range = search === undefined ? undefined : { fromUnixNano: search.fromUnixNano, toUnixNano: search.toUnixNano };
  const service = search?.filter.service;
  const prefix = useSettled(word.prefix, completionSettleMs);
  const request = {
    ...(range ?? { fromUnixNano: 0n, toUnixNano: 1n }),
    limit: 200,
    prefix,
    ...(service === undefined ? {} : { service }),
  };
  const where = `${request.fromUnixNano} ${request.toUnixNano} ${service ?? ''}`;
  const keys = useQuery({
    queryKey: ['keys', where, prefix],
    enabled: open && range !== undefined && word.kind === 'key',
    queryFn: ({ signal }) => api.keys(request, { signal }),
    placeholderData: (earlier) => earlier,
  });
  const key = word.kind === 'value' ? valuesKey(word.key) : '';
  const values = useQuery({
    queryKey: ['values', where, key, prefix],
    enabled: open && range !== undefined && word.kind === 'value',
    queryFn: ({ signal }) => api.values({ ...request, key }, { signal }),
  });
  if (word.kind === 'key') return (keys.data?.keys ?? []).map((entry) => completeKey(text, word, entry));
  return (values.data?.values ?? []).map((entry) => completeValue(text, word, entry));
}
