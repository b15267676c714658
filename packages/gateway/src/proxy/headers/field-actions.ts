// Hot path: decides for every header field that passes. Guarded by bench/gateway.
//
// Looking a name up in the spelling it came in saves making it lower case; the table of known spellings is bounded, so that
// nobody can fill memory with names.

import { nameTable } from './name-table.ts';

/** What a proxy does with a field. */
export const FieldAction = Object.freeze({
  PASS: 0,
  /** Belongs to one connection, or is not to be believed from outside. */
  DROP: 1,
  CONNECTION: 2,
  TE: 3,
  FORWARDED_FOR: 4,
  TRACE: 5,
  HOST: 6,
  CONTENT_LENGTH: 7,
  CORRELATION: 8,
  DATE: 9,
  FORWARDED_HOST: 10,
  FORWARDED_PROTO: 11,
} as const);
export type FieldAction = (typeof FieldAction)[keyof typeof FieldAction];

/** Fields that belong to one connection (RFC 9110 section 7.6.1), and `Expect`, which the gateway answers itself. */
const hopByHop: readonly string[] = [
  'keep-alive',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'expect',
];

const requestActions = new Map<string, FieldAction>([
  ...hopByHop.map((name): [string, FieldAction] => [name, FieldAction.DROP]),
  ['x-internal-token', FieldAction.DROP],
  ['authorization-internal', FieldAction.DROP],
  ['x-forwarded-by', FieldAction.DROP],
  ['connection', FieldAction.CONNECTION],
  ['te', FieldAction.TE],
  ['x-forwarded-for', FieldAction.FORWARDED_FOR],
  ['x-forwarded-host', FieldAction.FORWARDED_HOST],
  ['x-forwarded-proto', FieldAction.FORWARDED_PROTO],
  ['traceparent', FieldAction.TRACE],
  ['tracestate', FieldAction.TRACE],
  ['host', FieldAction.HOST],
  ['content-length', FieldAction.CONTENT_LENGTH],
  ['x-correlation-id', FieldAction.CORRELATION],
  ['x-trace-id', FieldAction.CORRELATION],
]);

const responseActions = new Map<string, FieldAction>([
  ...hopByHop.map((name): [string, FieldAction] => [name, FieldAction.DROP]),
  ['te', FieldAction.DROP],
  ['connection', FieldAction.CONNECTION],
  ['content-length', FieldAction.CONTENT_LENGTH],
  ['x-correlation-id', FieldAction.CORRELATION],
  ['date', FieldAction.DATE],
]);

/** What a proxy does something about, apart from the names that `Connection` gives. */
export const requestNames: Uint8Array = nameTable([...requestActions.keys(), 'proxy-*']);
export const responseNames: Uint8Array = nameTable([...responseActions.keys(), 'proxy-*']);

/** Spellings remembered by each table. */
const maxSpellings = 512;

/** Looks fields up by name in any spelling. */
export class FieldTable {
  readonly #actions: ReadonlyMap<string, FieldAction>;
  readonly #spellings = new Map<string, FieldAction>();

  constructor(actions: ReadonlyMap<string, FieldAction>) {
    this.#actions = actions;
  }

  /** What to do with the field. */
  action(name: string): FieldAction {
    const known = this.#spellings.get(name);
    return known ?? this.#learn(name);
  }

  #learn(name: string): FieldAction {
    const lower = name.toLowerCase();
    const action = this.#actions.get(lower) ?? (lower.startsWith('proxy-') ? FieldAction.DROP : FieldAction.PASS);
    if (this.#spellings.size < maxSpellings) this.#spellings.set(name, action);
    return action;
  }
}

export const requestFields = new FieldTable(requestActions);
export const responseFields = new FieldTable(responseActions);

/**
 * The fields a `Connection` field names, in lower case; undefined when they are none but `close`, `keep-alive` and
 * `upgrade`, which is nearly always so.
 */
export function connectionOptions(value: string): readonly string[] | undefined {
  if (value === 'keep-alive' || value === 'close' || value === 'Keep-Alive' || value === 'Upgrade') return undefined;
  const names = value
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'close' && name !== 'keep-alive' && name !== 'upgrade');
  return names.length === 0 ? undefined : names;
}
