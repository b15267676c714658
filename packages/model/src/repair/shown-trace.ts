import type { AttributeCursor } from '../batch/attribute-cursor.ts';
import type { SpanBatch } from '../batch/span-batch.ts';
import { StatusCode } from '../otlp-numbers.ts';
import { attributesAt } from '../plain.ts';
import { isErrorSpan } from './error-span.ts';
import type { TraceView } from '../trace-view.ts';
import { canonicalJson, shownForm } from '../values/json.ts';
import type { KeyValue } from '../values/value.ts';
import { batchKeysOf, type BatchKeys } from './batch-keys.ts';
import { KeyUse } from './key-use.ts';
import { ResourceLift } from './resource-lift.ts';

/** A library that makes spans; lossless text, `''` for what is not known. */
export interface ShownScope {
  readonly name: string;
  readonly version: string;
}

/** What JavaScript exporters write for a library without version. */
const NO_VERSION = 'undefined';

/**
 * A trace as people should see it. Exporters of Jaeger's and Zipkin's formats have no place for a resource and a library, and put what they
 * know of both on every span; here it is shown where it belongs. What is stored stays as it was sent.
 *
 * - An attribute of a resource namespace (`key-use.ts`) that all spans of a resource carry with one value is shown on the resource. A
 *   resource that tells its SDK came whole: its spans keep what they carry. Where span and resource disagree, both keep theirs.
 * - `otel.library.*` and `otel.scope.*` are shown as the scope of a span that came without one.
 * - A span with an attribute `error` that is true has failed (`isErrorSpan`).
 * - Facts carried for another format are not shown.
 *
 * One pass over the attributes of all spans; what it allocates is per resource, not per span.
 */
export class ShownTrace {
  readonly view: TraceView;
  readonly #asSent: boolean;
  readonly #keys = new Map<SpanBatch, BatchKeys | undefined>();
  /** By batch and resource row; rows of equal content share one. */
  readonly #lifts = new Map<SpanBatch, ResourceLift[]>();
  readonly #liftByContent = new Map<string, ResourceLift>();

  /** `asSent` shows every attribute where it was sent, and the status that was sent. */
  constructor(view: TraceView, { asSent = false }: { readonly asSent?: boolean } = {}) {
    this.view = view;
    this.#asSent = asSent;
    for (let row = 0; row < view.count; row++) this.#note(row);
    for (const lift of this.#liftByContent.values()) lift.finish();
  }

  /** The service of span `row` as shown text: its resource's, else the one its spans agree on; `''` when there is none. */
  service(row: number): string {
    const own = this.view.services[row]!;
    if (own !== '') return own;
    const lifted = this.liftedAttributes(row).find(({ key }) => key === 'service.name')?.value;
    return typeof lifted === 'string' ? shownForm(lifted) : '';
  }

  /** OTLP `Status.code`: error also where only an attribute says so. */
  statusCode(row: number): number {
    const { view } = this;
    return !this.#asSent && isErrorSpan(view.cursor(row)) ? StatusCode.ERROR : view.statusCodes[row]!;
  }

  /** What is shown on the resource of span `row` beside its own attributes. */
  liftedAttributes(row: number): readonly KeyValue[] {
    return this.#liftOf(row).lifted;
  }

  /** The library that made span `row`. */
  scope(row: number): ShownScope {
    const batch = this.view.batchOf(row);
    const scope = batch.scopes[this.view.rowInBatch(row)]!;
    const name = batch.strings.losslessText(batch.scopeTable.names[scope]!);
    const version = batch.strings.losslessText(batch.scopeTable.versions[scope]!);
    const keys = this.#keysOf(batch);
    return name !== '' || keys?.haveScope !== true ? { name, version } : this.#scopeOfTags(row, keys);
  }

  /** The attributes of span `row` that are about the span itself, decoded now. */
  attributes(row: number): KeyValue[] {
    const batch = this.view.batchOf(row);
    const keys = this.#keysOf(batch);
    if (keys === undefined) return attributesAt(batch, this.view.cursor(row).attributes);
    const shown: KeyValue[] = [];
    this.#forEachShown(row, keys, (attribute) => {
      shown.push({ key: batch.strings.losslessText(attribute.key), value: attribute.decodeValue() });
    });
    return shown;
  }

  /** The number of {@link attributes}. */
  attributeCount(row: number): number {
    const keys = this.#keysOf(this.view.batchOf(row));
    if (keys === undefined) return this.view.cursor(row).attributes.count;
    let count = 0;
    this.#forEachShown(row, keys, () => count++);
    return count;
  }

  #forEachShown(row: number, { uses, haveScope }: BatchKeys, use: (attribute: AttributeCursor) => void): void {
    const scope = haveScope ? this.scope(row) : undefined;
    const lift = this.#liftOf(row);
    const { strings } = this.view.batchOf(row);
    const { attributes } = this.view.cursor(row);
    while (attributes.next()) {
      const keyUse = uses[attributes.key]!;
      if (keyUse === KeyUse.CARRIER) continue;
      if (keyUse === KeyUse.RESOURCE && lift.shows(strings.losslessText(attributes.key))) continue;
      if (keyUse === KeyUse.SCOPE_NAME && attributes.decodeValue() === scope!.name) continue;
      if (keyUse === KeyUse.SCOPE_VERSION && versionOf(attributes) === scope!.version) continue;
      use(attributes);
    }
  }

  #note(row: number): void {
    const batch = this.view.batchOf(row);
    const keys = this.#keysOf(batch);
    const lift = this.#liftOf(row);
    lift.addSpan();
    if (keys === undefined) return;
    const { attributes } = this.view.cursor(row);
    while (attributes.next()) {
      if (keys.uses[attributes.key] === KeyUse.RESOURCE) lift.addAttribute(row, batch, attributes);
    }
  }

  #scopeOfTags(row: number, { uses }: BatchKeys): ShownScope {
    let name = '';
    let version = '';
    const { attributes } = this.view.cursor(row);
    while (attributes.next()) {
      const use = uses[attributes.key];
      if (use === KeyUse.SCOPE_NAME && name === '') name = textOf(attributes);
      if (use === KeyUse.SCOPE_VERSION && version === '') version = versionOf(attributes) ?? '';
    }
    return { name, version };
  }

  #keysOf(batch: SpanBatch): BatchKeys | undefined {
    if (!this.#keys.has(batch)) this.#keys.set(batch, batchKeysOf(batch, this.#asSent));
    return this.#keys.get(batch);
  }

  #liftOf(row: number): ResourceLift {
    const batch = this.view.batchOf(row);
    const resource = batch.scopeTable.resources[batch.scopes[this.view.rowInBatch(row)]!]!;
    let lifts = this.#lifts.get(batch);
    if (lifts === undefined) this.#lifts.set(batch, (lifts = []));
    return (lifts[resource] ??= this.#liftOfContent(row));
  }

  #liftOfContent(row: number): ResourceLift {
    const own = attributesAt(this.view.batchOf(row), this.view.cursor(row).resourceAttributes);
    const content = JSON.stringify(own.map(({ key, value }) => [key, typeof value, canonicalJson(value)]));
    let lift = this.#liftByContent.get(content);
    if (lift === undefined) this.#liftByContent.set(content, (lift = new ResourceLift(own)));
    return lift;
  }
}

function textOf(attribute: AttributeCursor): string {
  const value = attribute.decodeValue();
  return typeof value === 'string' ? value : '';
}

/** A version tag's text, `''` when it says that there is none; `undefined` when it is no text. */
function versionOf(attribute: AttributeCursor): string | undefined {
  const value = attribute.decodeValue();
  if (typeof value !== 'string') return undefined;
  return value === NO_VERSION ? '' : value;
}
