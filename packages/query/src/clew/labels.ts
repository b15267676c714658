import { Carrier, valueText } from '@clew/model';
import type { SpanBatch, TraceView } from '@clew/model';

/** Attributes whose value is worth showing beside a span's name, the most telling first. Old spellings follow new ones. */
const labelKeys = [
  'http.response.status_code',
  'http.status_code',
  'rpc.grpc.status_code',
  'db.operation.name',
  'db.operation',
  'messaging.destination.name',
  'messaging.destination',
];

/** Longest label; more does not fit beside a name. */
const maxLabelLength = 40;

/** Texts of a batch that are looked for in every row, as indexes into its string table. */
interface KnownTexts {
  readonly labels: readonly number[];
  readonly exception: number;
  readonly parentReference: number;
  /** By resource row: whether it sends demo data. */
  readonly demo: (boolean | undefined)[];
}

/** Reads what the page shows of every row beside its columns; looks texts up once per batch, not once per row. */
export class RowMarks {
  readonly #view: TraceView;
  readonly #known = new Map<SpanBatch, KnownTexts>();

  constructor(view: TraceView) {
    this.#view = view;
  }

  /** A short text to show beside span `row`, or the empty string. */
  label(row: number): string {
    const { labels } = this.#textsOf(row);
    if (labels.length === 0) return '';
    const { attributes } = this.#view.cursor(row);
    for (const key of labels) {
      if (!attributes.find(key)) continue;
      const text = valueText(attributes.decodeValue());
      if (text !== '' && text.length <= maxLabelLength) return text;
    }
    return '';
  }

  /** Whether an event of span `row` is an exception. */
  hasException(row: number): boolean {
    const { exception } = this.#textsOf(row);
    if (exception < 0) return false;
    const { events } = this.#view.cursor(row);
    while (events.next()) if (events.name === exception) return true;
    return false;
  }

  /** Whether span `row` named its parent by a Jaeger reference of kind FOLLOWS_FROM. */
  followsFrom(row: number): boolean {
    const { parentReference } = this.#textsOf(row);
    if (parentReference < 0) return false;
    const { attributes } = this.#view.cursor(row);
    return attributes.find(parentReference) && attributes.decodeString() === 'follows_from';
  }

  /** Whether span `row` is demo data. */
  isDemo(row: number): boolean {
    const batch = this.#view.batchOf(row);
    const resource = batch.scopeTable.resources[batch.scopes[this.#view.rowInBatch(row)]!]!;
    const { demo } = this.#textsOf(row);
    return (demo[resource] ??= this.#view.resourceAttribute(row, 'clew.demo') === true);
  }

  #textsOf(row: number): KnownTexts {
    const batch = this.#view.batchOf(row);
    let texts = this.#known.get(batch);
    if (texts === undefined) {
      const { strings } = batch;
      const parentReference = strings.find(Carrier.JAEGER_PARENT_REF_TYPE);
      const labels = labelKeys.map((key) => strings.find(key)).filter((index) => index >= 0);
      texts = { labels, exception: strings.find('exception'), parentReference, demo: [] };
      this.#known.set(batch, texts);
    }
    return texts;
  }
}
