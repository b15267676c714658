// Hot path: moves and refills rows while scrolling; bench/web measures it. Rows are recycled: a row that
// stays on screen is not touched, one that enters takes over an element that left.
import { formatCount, kindName, speakDuration } from '../lib/format.ts';
import { serviceInitials } from '../lib/service-colors.ts';
import type { ServiceColor } from '../lib/service-colors.ts';
import { isDamaged, isPlaceholder, labelOf, nameOf, serviceOf, siblingPlace } from './model.ts';
import type { TraceModel } from './model.ts';

/** Class names of the row's parts. */
export interface TreeRowClasses {
  readonly row: string;
  readonly cell: string;
  readonly indent: string;
  readonly fold: string;
  readonly chip: string;
  readonly hatched: string;
  readonly mark: string;
  readonly markBelow: string;
  readonly service: string;
  readonly name: string;
  readonly label: string;
  readonly count: string;
  readonly selected: string;
  readonly dimmed: string;
  readonly matched: string;
  readonly placeholder: string;
}

/** What rows show. */
export interface TreeRowData {
  readonly model: TraceModel;
  readonly rows: Int32Array;
  readonly open: Uint8Array;
  readonly serviceColors: readonly ServiceColor[];
  readonly marked: Uint8Array | undefined;
  readonly selected: number;
}

/** The rows of the tree column. */
export interface TreeRows {
  /** Shows the rows from `firstRow` up to `endRow`; `baseRow` is the one at the top of the container. */
  readonly show: (data: TreeRowData, firstRow: number, endRow: number, baseRow: number) => void;
  /** Forgets what rows show, after the model, the expansion or the selection changed. */
  readonly invalidate: () => void;
  readonly destroy: () => void;
}

interface RowElement {
  readonly root: HTMLDivElement;
  readonly indent: HTMLSpanElement;
  readonly fold: HTMLSpanElement;
  readonly chip: HTMLSpanElement;
  readonly mark: HTMLSpanElement;
  readonly service: HTMLSpanElement;
  readonly name: HTMLSpanElement;
  readonly label: HTMLSpanElement;
  readonly count: HTMLSpanElement;
}

const indentPx = 14;
/** Deeper levels are not indented further; a number says how deep they are. */
const maxIndentLevels = 18;

/** Labels up to this length, such as status codes, are never cut. */
const shortLabelChars = 6;

/** Id of the element that shows a node, for `aria-activedescendant`. */
export function rowElementId(node: number): string {
  return `trace-row-${node}`;
}

/** Mounts rows in `container`, whose children are `rowPx` apart. */
export function createTreeRows(container: HTMLElement, rowPx: number, classes: TreeRowClasses): TreeRows {
  const shown = new Map<number, RowElement>();
  const spare: RowElement[] = [];

  const take = (): RowElement => {
    const reused = spare.pop();
    if (reused !== undefined) {
      reused.root.hidden = false;
      return reused;
    }
    const made = makeRow(classes);
    container.append(made.root);
    return made;
  };

  return {
    show(data, firstRow, endRow, baseRow) {
      for (const [row, element] of shown) {
        if (row >= firstRow && row < endRow) continue;
        shown.delete(row);
        spare.push(element);
      }
      for (let row = firstRow; row < endRow; row++) {
        if (shown.has(row)) continue;
        const element = take();
        element.root.style.top = `${(row - baseRow) * rowPx}px`;
        fillRow(element, data, row, classes);
        shown.set(row, element);
      }
      for (const element of spare) if (!element.root.hidden) hideRow(element);
    },
    invalidate() {
      for (const element of shown.values()) spare.push(element);
      shown.clear();
    },
    destroy() {
      container.replaceChildren();
    },
  };
}

function hideRow(element: RowElement): void {
  element.root.hidden = true;
  element.root.removeAttribute('id');
}

function makeRow(classes: TreeRowClasses): RowElement {
  const root = document.createElement('div');
  root.className = classes.row;
  root.setAttribute('role', 'row');
  const cell = document.createElement('div');
  cell.className = classes.cell;
  cell.setAttribute('role', 'gridcell');
  const part = (className: string): HTMLSpanElement => {
    const span = document.createElement('span');
    span.className = className;
    cell.append(span);
    return span;
  };
  const element = {
    root,
    indent: part(classes.indent),
    fold: part(classes.fold),
    chip: part(classes.chip),
    mark: part(classes.mark),
    service: part(classes.service),
    name: part(classes.name),
    label: part(classes.label),
    count: part(classes.count),
  };
  element.fold.dataset['fold'] = '';
  root.append(cell);
  return element;
}

function fillRow(element: RowElement, data: TreeRowData, row: number, classes: TreeRowClasses): void {
  const { model } = data;
  const node = data.rows[row] ?? 0;
  const { root } = element;
  root.id = rowElementId(node);
  root.dataset['node'] = String(node);
  root.className = rowClass(data, node, classes);
  fillTree(element, data, node);
  fillName(element, data, node, classes);
  root.setAttribute('aria-rowindex', String(row + 2));
  root.setAttribute('aria-level', String((model.depth[node] ?? 0) + 1));
  const place = siblingPlace(model, node);
  root.setAttribute('aria-posinset', String(place.position));
  root.setAttribute('aria-setsize', String(place.size));
  root.setAttribute('aria-selected', String(node === data.selected));
  root.setAttribute('aria-label', describeNode(model, node));
}

function rowClass(data: TreeRowData, node: number, classes: TreeRowClasses): string {
  let name = classes.row;
  if (node === data.selected) name += ` ${classes.selected}`;
  if (data.marked !== undefined) name += ` ${data.marked[node] === 0 ? classes.dimmed : classes.matched}`;
  if (isPlaceholder(data.model, node)) name += ` ${classes.placeholder}`;
  return name;
}

function fillTree(element: RowElement, data: TreeRowData, node: number): void {
  const { model, open } = data;
  const depth = model.depth[node] ?? 0;
  const size = model.subtreeSize[node] ?? 1;
  element.indent.style.width = `${Math.min(depth, maxIndentLevels) * indentPx}px`;
  element.indent.textContent = depth > maxIndentLevels ? `+${depth - maxIndentLevels}` : '';
  const isOpen = open[node] === 1;
  element.fold.dataset['state'] = size === 1 ? 'leaf' : isOpen ? 'open' : 'closed';
  element.count.textContent = size > 1 && !isOpen ? formatCount(size - 1) : '';
  if (size === 1) element.root.removeAttribute('aria-expanded');
  else element.root.setAttribute('aria-expanded', String(isOpen));
}

function fillName(element: RowElement, data: TreeRowData, node: number, classes: TreeRowClasses): void {
  const { model } = data;
  const service = serviceOf(model, node);
  const color = data.serviceColors[model.service[node] ?? -1];
  element.chip.textContent = service === undefined ? '' : serviceInitials(service);
  element.chip.className = color?.hatched === true ? `${classes.chip} ${classes.hatched}` : classes.chip;
  element.chip.dataset['slot'] = color === undefined ? 'none' : String(color.slot + 1);
  element.service.textContent = service ?? '';
  element.name.textContent = nameOf(model, node);
  const label = labelOf(model, node) ?? '';
  element.label.textContent = label;
  element.label.dataset['short'] = String(label.length <= shortLabelChars);
  const isError = model.status[node] === 2;
  const hasErrorsBelow = !isError && (model.errorsBelow[node] ?? 0) > 0;
  element.mark.className = hasErrorsBelow ? `${classes.mark} ${classes.markBelow}` : classes.mark;
  element.mark.dataset['mark'] = isError
    ? 'error'
    : hasErrorsBelow
      ? 'below'
      : isDamaged(model, node)
        ? 'damaged'
        : 'none';
}

/** A node in one sentence, as a screen reader says it. */
export function describeNode(model: TraceModel, node: number): string {
  if (isPlaceholder(model, node)) {
    return `Missing parent of ${(model.subtreeSize[node] ?? 1) - 1} spans, ${speakDuration(model.durationNano[node] ?? 0)}`;
  }
  const parts = [
    nameOf(model, node),
    serviceOf(model, node) ?? 'unknown service',
    kindName(model.kind[node] ?? 0),
    speakDuration(model.durationNano[node] ?? 0),
    `starts at ${speakDuration(model.startNano[node] ?? 0)}`,
  ];
  if (model.status[node] === 2) parts.push('error');
  const below = model.errorsBelow[node] ?? 0;
  if (below > 0) parts.push(`${formatCount(below)} ${below === 1 ? 'error' : 'errors'} below`);
  if (isDamaged(model, node)) parts.push('damaged data');
  return parts.join(', ');
}
