import { defaultExplore, emptyFilter, formatExplore, formatTerm } from '@clew/api';
import type { Attribute, AttributeScope, AttributeTerm, TypedValue } from '@clew/api';
import { Fragment, useMemo, useState } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { goTo } from '../../app/address.ts';
import { copyText } from '../../app/toasts.ts';
import { plural } from '../../lib/format.ts';
import { Button } from '../../ui/controls.tsx';
import ui from '../../ui/ui.module.css';
import styles from './SpanPanel.module.css';
import { prettyText, valueNote, valueText } from './values.ts';

/** Attributes of one origin. */
export interface AttributeGroup {
  readonly title: string;
  readonly scope: AttributeScope;
  readonly attributes: readonly Attribute[];
  /** How many the sender dropped. */
  readonly dropped: number;
  /** True when the title tells something by itself, so that the group is shown without attributes too. */
  readonly named?: boolean;
}

/** Below this many attributes a filter box is more in the way than of use. */
const filterFrom = 8;
/** Longer values are folded. */
const foldFromChars = 240;

/** Attributes by origin, with a box to narrow them. */
export function AttributeTable({ groups }: { readonly groups: readonly AttributeGroup[] }): ReactElement {
  const [text, setText] = useState('');
  const total = groups.reduce((sum, group) => sum + group.attributes.length, 0);
  const shown = useMemo(() => filterGroups(groups, text), [groups, text]);
  return (
    <>
      {total < filterFrom ? null : (
        <input
          className={`${ui['input']} ${styles['filter']}`}
          value={text}
          placeholder="Filter keys and values"
          aria-label="Filter attributes"
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
        />
      )}
      {shown.map((group) => (
        <section key={group.title} className={styles['group']}>
          <h3>{group.title}</h3>
          {group.attributes.length === 0 && group.named !== true ? (
            <p className={styles['none']}>{text === '' ? 'No attributes' : 'None match'}</p>
          ) : null}
          <table className={styles['table']}>
            <tbody>
              {group.attributes.map((attribute, index) => (
                <AttributeRow key={`${attribute.key} ${index}`} attribute={attribute} scope={group.scope} />
              ))}
            </tbody>
          </table>
          {group.dropped > 0 ? (
            <p className={styles['none']}>{plural(group.dropped, 'attribute')} dropped by the sender</p>
          ) : null}
        </section>
      ))}
    </>
  );
}

/** Keeps attributes whose key or value contains the text; empty groups stay only without a text. */
export function filterGroups(groups: readonly AttributeGroup[], text: string): readonly AttributeGroup[] {
  const needle = text.trim().toLowerCase();
  return groups
    .map((group) => ({
      ...group,
      attributes: group.attributes.filter(
        ({ key, value }) =>
          needle === '' || key.toLowerCase().includes(needle) || valueText(value).toLowerCase().includes(needle),
      ),
    }))
    .filter(({ attributes, dropped, scope, named }) => {
      return attributes.length > 0 || dropped > 0 || (needle === '' && (scope === 'span' || named === true));
    });
}

/** The search term that finds spans with this attribute; undefined for values no term can hold. */
export function termFor(attribute: Attribute, scope: AttributeScope): AttributeTerm | undefined {
  const value = termValue(attribute.value);
  return value === undefined ? undefined : { scope, key: attribute.key, operator: '=', value };
}

function termValue(value: TypedValue): AttributeTerm['value'] {
  switch (value.type) {
    case 'string':
      return { type: 'string', text: value.value };
    case 'int':
      return { type: 'number', text: value.value };
    case 'double':
      return typeof value.value === 'number' ? { type: 'number', text: String(value.value) } : undefined;
    case 'bool':
      return { type: 'boolean', value: value.value };
    default:
      return undefined;
  }
}

/** A key that may break after its dots and underscores rather than within a word. */
function breakable(key: string): ReactNode {
  return key.split(/(?<=[._/])/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 ? <wbr /> : null}
      {part}
    </Fragment>
  ));
}

function AttributeRow({
  attribute,
  scope,
}: {
  readonly attribute: Attribute;
  readonly scope: AttributeScope;
}): ReactElement {
  const [folded, setFolded] = useState(true);
  const full = prettyText(valueText(attribute.value));
  const isLong = full.length > foldFromChars || full.split('\n').length > 4;
  const text = isLong && folded ? `${full.split('\n').slice(0, 3).join('\n').slice(0, foldFromChars)}…` : full;
  const note = valueNote(attribute.value);
  const term = termFor(attribute, scope);
  return (
    <tr>
      <th scope="row">{breakable(attribute.key)}</th>
      <td>
        <div className={styles['value']} data-type={attribute.value.type}>
          <span>{text}</span>
          {note === undefined || note === 'int' || note === 'bool' || note === 'double' ? null : <small>{note}</small>}
          {isLong ? (
            <Button small look="quiet" onClick={() => setFolded(!folded)}>
              {folded ? 'Show all' : 'Fold'}
            </Button>
          ) : null}
        </div>
        <div className={styles['rowActions']}>
          <Button
            small
            look="quiet"
            icon="copy"
            aria-label={`Copy value of ${attribute.key}`}
            onClick={() => void copyText(valueText(attribute.value), attribute.key)}
          />
          {term === undefined ? null : (
            <Button
              small
              look="quiet"
              icon="search"
              aria-label={`Find spans with this ${attribute.key}`}
              title={`Find spans with ${formatTerm(term)}`}
              onClick={() => goTo(formatExplore({ ...defaultExplore, filter: { ...emptyFilter, terms: [term] } }))}
            />
          )}
        </div>
      </td>
    </tr>
  );
}
