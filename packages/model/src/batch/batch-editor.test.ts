import { arbitrarySpans, arbitraryValue } from '@clew/testkit/arbitraries';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromPlain, plainSpan, toPlain, type PlainSpan } from '../plain.ts';
import type { AttributeValue, KeyValue } from '../values/value.ts';
import { BatchEditor } from './batch-editor.ts';
import { compactBatch } from './compact.ts';
import { AttributeLevel } from './edit-log.ts';
import { packBatch } from './pack.ts';
import { concatInto, selectSpans } from './select.ts';
import { SpanBatch } from './span-batch.ts';
import { SpanCursor } from './span-cursor.ts';
import { unpackBatch } from './unpack.ts';

type Action = 'upsert' | 'insert' | 'update' | 'delete';
interface Edit {
  readonly action: Action;
  readonly level: AttributeLevel;
  readonly span: number;
  readonly child: number;
  readonly key: string;
  readonly value: AttributeValue;
  /** For scopes and resources: change it for this span alone. */
  readonly isolate: boolean;
}

const arbitraryEdit: fc.Arbitrary<Edit> = fc.record({
  action: fc.constantFrom<Action>('upsert', 'insert', 'update', 'delete'),
  level: fc.constantFrom(...Object.values(AttributeLevel)),
  span: fc.nat(),
  child: fc.nat(),
  key: fc.constantFrom('k', 'http.method', 'service.name', 'new', ''),
  value: arbitraryValue({}, 1),
  isolate: fc.boolean(),
});

/** The model's view of attributes: mutable lists, shared between spans as the rows of a batch are. */
interface Mutable {
  attributes: KeyValue[];
}
interface MutableSpan {
  plain: PlainSpan;
  attributes: Mutable;
  events: Mutable[];
  links: Mutable[];
  scope: Mutable & { resource: Mutable };
}

function mutableSpans(spans: readonly PlainSpan[]): MutableSpan[] {
  const resources = new Map<object, Mutable>();
  const scopes = new Map<object, Map<object, MutableSpan['scope']>>();
  return spans.map((plain) => {
    const resource = memo(resources, plain.resource, () => ({ attributes: [...plain.resource.attributes] }));
    const ofResource = memo(scopes, plain.resource, () => new Map<object, MutableSpan['scope']>());
    const scope = memo(ofResource, plain.scope, () => ({ attributes: [...plain.scope.attributes], resource }));
    const list = (attributes: readonly KeyValue[]): Mutable => ({ attributes: [...attributes] });
    return {
      plain,
      attributes: list(plain.attributes),
      events: plain.events.map((event) => list(event.attributes)),
      links: plain.links.map((link) => list(link.attributes)),
      scope,
    };
  });
}

function memo<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  if (!map.has(key)) map.set(key, make());
  return map.get(key)!;
}

/** What an edit means, said as plainly as possible. */
function applyTo(target: Mutable, { action, key, value }: Edit): void {
  const at = target.attributes.findIndex((entry) => entry.key === key);
  if ((action === 'insert' && at >= 0) || ((action === 'update' || action === 'delete') && at < 0)) return;
  const others = target.attributes.filter((entry) => entry.key !== key);
  target.attributes = action === 'delete' ? others : [...others, { key, value }];
}

function editPlain(spans: MutableSpan[], edit: Edit): void {
  const span = spans[edit.span % spans.length]!;
  if (edit.level === AttributeLevel.SPAN) applyTo(span.attributes, edit);
  else if (edit.level === AttributeLevel.EVENT || edit.level === AttributeLevel.LINK) {
    const children = edit.level === AttributeLevel.EVENT ? span.events : span.links;
    if (children.length > 0) applyTo(children[edit.child % children.length]!, edit);
  } else {
    if (edit.isolate) {
      const { resource } = span.scope;
      span.scope = { ...span.scope, resource: edit.level === AttributeLevel.RESOURCE ? { ...resource } : resource };
    }
    applyTo(edit.level === AttributeLevel.SCOPE ? span.scope : span.scope.resource, edit);
  }
}

function editBatch(editor: BatchEditor, edit: Edit): void {
  const { batch } = editor;
  const span = edit.span % batch.count;
  const cursor = new SpanCursor(batch).moveTo(span);
  let row = span;
  if (edit.level === AttributeLevel.EVENT || edit.level === AttributeLevel.LINK) {
    const children = edit.level === AttributeLevel.EVENT ? cursor.events : cursor.links;
    if (children.count === 0) return;
    for (let i = 0; i <= edit.child % children.count; i++) children.next();
    row = children.row;
  } else if (edit.level === AttributeLevel.SCOPE) {
    if (edit.isolate) editor.isolateScopes([span]);
    row = cursor.scope;
  } else if (edit.level === AttributeLevel.RESOURCE) {
    if (edit.isolate) editor.isolateResources([span]);
    row = cursor.resource;
  }
  const key = editor.key(edit.key);
  if (edit.action === 'delete') editor.delete(edit.level, row, key);
  else editor[edit.action](edit.level, row, key, edit.value);
}

/** An edited attribute may keep its place or move to the end: compare by key, keeping the order of duplicates. */
function byKey(attributes: readonly KeyValue[]): KeyValue[] {
  return attributes.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

function normalPlain(span: PlainSpan): PlainSpan {
  return {
    ...span,
    attributes: byKey(span.attributes),
    events: span.events.map((event) => ({ ...event, attributes: byKey(event.attributes) })),
    links: span.links.map((link) => ({ ...link, attributes: byKey(link.attributes) })),
    scope: { ...span.scope, attributes: byKey(span.scope.attributes) },
    resource: { ...span.resource, attributes: byKey(span.resource.attributes) },
  };
}

function plainOf(span: MutableSpan): PlainSpan {
  const { plain } = span;
  return normalPlain({
    ...plain,
    attributes: span.attributes.attributes,
    events: plain.events.map((event, i) => ({ ...event, attributes: span.events[i]!.attributes })),
    links: plain.links.map((link, i) => ({ ...link, attributes: span.links[i]!.attributes })),
    scope: { ...plain.scope, attributes: span.scope.attributes },
    resource: { ...plain.resource, attributes: span.scope.resource.attributes },
  });
}

describe('editing a batch', () => {
  it('refuses rows and keys the batch does not have', () => {
    const editor = new BatchEditor(fromPlain([plainSpan({ traceId: '1', spanId: '1' })]));
    const key = editor.key('k');
    const refused = expect.objectContaining({ code: 'invalid_row' }) as Error;
    for (const level of Object.values(AttributeLevel)) expect(() => editor.upsert(level, 7, key, 1n)).toThrow(refused);
    expect(() => editor.upsert(AttributeLevel.SPAN, 0, 99, 1n)).toThrow(refused);
    expect(() => editor.setName(1, 'x')).toThrow(refused);
    expect(() => editor.isolateResources([1])).toThrow(refused);
  });

  it('means the same as editing plain objects, before and after compacting, packing, selecting', () => {
    fc.assert(
      fc.property(
        arbitrarySpans(),
        fc.array(arbitraryEdit, { maxLength: 12 }),
        fc.boolean(),
        (spans, edits, fromPacked) => {
          fc.pre(spans.length > 0);
          const plain = fromPlain(spans);
          const batch = fromPacked ? unpackBatch(packBatch(plain)) : plain;
          const editor = new BatchEditor(batch);
          const model = mutableSpans(toPlain(batch)); // Shares objects exactly as the batch shares rows.
          for (const edit of edits) {
            editBatch(editor, edit);
            editPlain(model, edit);
          }
          const expected = model.map(plainOf);
          expect(toPlain(batch).map(normalPlain)).toEqual(expected);
          const order = toPlain(batch);
          compactBatch(batch);
          expect(batch.edits).toBeUndefined();
          expect(toPlain(batch)).toEqual(order);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is seen by packing, selecting and concatenating without being asked to compact', () => {
    const batch = fromPlain([plainSpan({ traceId: '1', spanId: '1', attributes: { secret: 's', kept: 1n } })]);
    const editor = new BatchEditor(batch);
    const target = new SpanBatch();
    editor.delete(AttributeLevel.SPAN, 0, editor.key('secret'));
    concatInto(target, batch);
    for (const result of [unpackBatch(packBatch(batch)), selectSpans(batch, [0]), target]) {
      expect(toPlain(result)[0]!.attributes).toEqual([{ key: 'kept', value: 1n }]);
    }
  });

  it('does not leave a deleted value in what is packed afterwards', () => {
    const batch = fromPlain([plainSpan({ traceId: '1', spanId: '1', attributes: { secret: 'hunter2' } })]);
    const editor = new BatchEditor(batch);
    editor.delete(AttributeLevel.SPAN, 0, editor.key('secret'));
    expect(new TextDecoder('latin1').decode(packBatch(batch))).not.toContain('hunter2');
  });

  it('replaces the first of duplicate keys and drops the others', () => {
    const attributes = ['a', 'k', 'b', 'k'].map((key, i) => ({ key, value: BigInt(i) }));
    const batch = fromPlain([plainSpan({ traceId: '1', spanId: '1', attributes })]);
    const editor = new BatchEditor(batch);
    editor.upsert(AttributeLevel.SPAN, 0, editor.key('k'), 'new');
    expect(toPlain(batch)[0]!.attributes.map((entry) => entry.value)).toEqual([0n, 'new', 2n]);
    expect(new SpanCursor(batch).moveTo(0).attributes.count).toBe(3);
  });

  it('tells whether an edit changed anything', () => {
    const editor = new BatchEditor(fromPlain([plainSpan({ traceId: '1', spanId: '1', attributes: { a: 1n } })]));
    const [a, b] = [editor.key('a'), editor.key('b')];
    expect(editor.insert(AttributeLevel.SPAN, 0, a, 2n)).toBe(false);
    expect(editor.update(AttributeLevel.SPAN, 0, b, 2n)).toBe(false);
    expect(editor.delete(AttributeLevel.SPAN, 0, b)).toBe(false);
    expect(editor.insert(AttributeLevel.SPAN, 0, b, 2n)).toBe(true);
    expect(editor.delete(AttributeLevel.SPAN, 0, b)).toBe(true);
    expect(editor.delete(AttributeLevel.SPAN, 0, b)).toBe(false);
  });

  it('changes a resource for the isolated spans only, and copies it once', () => {
    const shared = plainSpan({ traceId: '1', spanId: '1', service: 'shop' });
    const batch = fromPlain([shared, { ...shared, name: 'b' }, { ...shared, name: 'c' }, { ...shared, name: 'd' }]);
    const editor = new BatchEditor(batch);
    editor.isolateResources([1, 2]);
    expect(batch.resourceTable.count).toBe(2);
    editor.upsert(
      AttributeLevel.RESOURCE,
      new SpanCursor(batch).moveTo(1).resource,
      editor.key('service.name'),
      'edited',
    );
    const names = toPlain(batch).map((span) => span.resource.attributes[0]!.value);
    expect(names).toEqual(['shop', 'edited', 'edited', 'shop']);
    editor.isolateResources([1, 2]);
    editor.isolateResources([0, 1, 2, 3]);
    expect(batch.resourceTable.count).toBe(2);
  });

  it('copies an attribute to another key without decoding it', () => {
    const batch = fromPlain([plainSpan({ traceId: '1', spanId: '1', attributes: { old: ['a', 1n] } })]);
    const editor = new BatchEditor(batch);
    const { attributes } = new SpanCursor(batch).moveTo(0);
    expect(attributes.findText('old')).toBe(true);
    const heapBefore = batch.heapLength;
    editor.setWords(AttributeLevel.SPAN, 0, editor.key('new'), attributes.type, attributes.lo, attributes.hi);
    expect(batch.heapLength).toBe(heapBefore);
    expect(toPlain(batch)[0]!.attributes).toEqual([
      { key: 'old', value: ['a', 1n] },
      { key: 'new', value: ['a', 1n] },
    ]);
  });

  it('writes the fields of a span in place', () => {
    const batch = unpackBatch(packBatch(fromPlain([plainSpan({ traceId: '1', spanId: '1' })])));
    const editor = new BatchEditor(batch);
    editor.setName(0, 'new');
    editor.setKind(0, 3);
    editor.setStatus(0, 2, 'broken');
    editor.setTraceState(0, 'a=1');
    editor.setFlags(0, 0x101);
    expect(toPlain(batch)[0]).toMatchObject({
      name: 'new',
      kind: 3,
      statusCode: 2,
      statusMessage: 'broken',
      traceState: 'a=1',
      flags: 0x101,
    });
  });
});

describe('the cursor', () => {
  it('finds attributes by key and text, with keys that come and go', () => {
    const batch = fromPlain([plainSpan({ traceId: '1', spanId: '1', service: 'shop', attributes: { a: 'x' } })]);
    const cursor = new SpanCursor(batch).moveTo(0);
    expect(cursor.attributes.findText('b')).toBe(false);
    const editor = new BatchEditor(batch);
    editor.upsert(AttributeLevel.SPAN, 0, editor.key('b'), 'y');
    expect(cursor.attributes.findText('b')).toBe(true);
    expect([cursor.attributes.decodeKey(), cursor.attributes.decodeString()]).toEqual(['b', 'y']);
    expect(cursor.attributes.find(-1)).toBe(false);
    batch.reset();
    fromPlain([plainSpan({ traceId: '1', spanId: '1', attributes: { z: 'x', b: 1n } })], batch);
    cursor.moveTo(0);
    expect(cursor.attributes.findText('b')).toBe(true);
    expect([cursor.attributes.decodeValue(), cursor.attributes.decodeString()]).toEqual([1n, undefined]);
    expect(cursor.decodeServiceName()).toBeUndefined();
  });

  it('gives children and shared rows from their beginning after each move', () => {
    const event = { timeUnixNano: 1n as never, name: 'e', attributes: [{ key: 'k', value: 1n }], droppedAttributes: 0 };
    const span = plainSpan({ traceId: '1', spanId: '1', parentSpanId: '2', service: 'shop', events: [event, event] });
    const cursor = new SpanCursor(fromPlain([span, span]));
    for (let row = 0; row < 2; row++) {
      cursor.moveTo(row);
      expect(cursor.resourceAttributes.next()).toBe(true);
      expect(cursor.resourceAttributes.next()).toBe(false);
      for (let round = 0; round < 2; round++) {
        cursor.events.rewind();
        let seen = 0;
        while (cursor.events.next()) while (cursor.events.attributes.next()) seen++;
        expect(seen).toBe(2);
      }
      expect([cursor.hasParent, cursor.decodeServiceName(), cursor.events.count, cursor.links.count]).toEqual([
        true,
        'shop',
        2,
        0,
      ]);
    }
    expect(cursor.next()).toBe(false);
  });
});
