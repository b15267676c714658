import { parseCatalogRequest } from '@clew/api';
import type {
  AttributeScope,
  CatalogRequest,
  KeyEntry,
  KeysAnswer,
  ListFacts,
  OperationEntry,
  OperationsAnswer,
  ServiceEntry,
  ServicesAnswer,
  ValueEntry,
  ValuesAnswer,
} from '@clew/api';
import { ValueType } from '@clew/model';
import { TagScope } from '@clew/store';
import type { TagKey } from '@clew/store';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ClewDeps } from './deps.ts';
import { queryOf, sendAnswer, sendProblems } from './reply.ts';

type Handler = (deps: ClewDeps, wanted: CatalogRequest, signal: AbortSignal) => Promise<object | string>;

/** An answer of the catalogue: reads the request, asks, and sends. A text is what was wrong with the request. */
function catalog(handler: Handler) {
  return async (
    deps: ClewDeps,
    request: FastifyRequest,
    reply: FastifyReply,
    signal: AbortSignal,
  ): Promise<FastifyReply> => {
    const parsed = parseCatalogRequest(queryOf(request), Date.now());
    if (!parsed.ok) return sendProblems(reply, parsed.error);
    const answer = await handler(deps, parsed.value, signal);
    return typeof answer === 'string'
      ? sendProblems(reply, [{ parameter: 'key', message: answer }])
      : sendAnswer(reply, answer);
  };
}

/** `GET /services`: most spans first; by name and without counts when counting would take too long. */
export const services = catalog(async (deps, wanted, signal) => {
  const counted = await deps.reader.serviceCounts(deps.tenant, countOptions(wanted, signal));
  const found = counted ?? (await serviceNames(deps, wanted, signal));
  const { kept, facts } = cut<ServiceEntry>(found, wanted.limit);
  return { services: kept, facts } satisfies ServicesAnswer;
});

async function serviceNames(deps: ClewDeps, wanted: CatalogRequest, signal: AbortSignal): Promise<ServiceEntry[]> {
  const names = await deps.reader.services(deps.tenant, { range: rangeOf(wanted), limit: wanted.limit + 1, signal });
  return names.filter((name) => startsWith(name, wanted.prefix)).map((name) => ({ name }));
}

/** `GET /operations`: most spans first; by name and without counts when counting would take too long. */
export const operations = catalog(async (deps, wanted, signal) => {
  const counted = await deps.reader.operationCounts(deps.tenant, countOptions(wanted, signal));
  const found = counted ?? (await operationNames(deps, wanted, signal));
  const { kept, facts } = cut<OperationEntry>(found, wanted.limit);
  return { operations: kept, facts } satisfies OperationsAnswer;
});

/** Services whose operations are listed together when no service is named. */
const maxServices = 100;

async function operationNames(deps: ClewDeps, wanted: CatalogRequest, signal: AbortSignal): Promise<OperationEntry[]> {
  const range = rangeOf(wanted);
  const names =
    wanted.service === undefined
      ? await deps.reader.services(deps.tenant, { range, limit: maxServices, signal })
      : [wanted.service];
  const lists = await Promise.all(
    names.map((name) => deps.reader.operations(deps.tenant, name, { range, limit: wanted.limit + 1, signal })),
  );
  const distinct = new Map(lists.flat().map((operation) => [`${operation.kind} ${operation.name}`, operation]));
  return [...distinct.values()].filter(({ name }) => startsWith(name, wanted.prefix));
}

/** What the store's counting functions take. */
function countOptions(wanted: CatalogRequest, signal: AbortSignal) {
  return {
    range: rangeOf(wanted),
    limit: wanted.limit + 1,
    signal,
    ...(wanted.service === undefined ? {} : { service: wanted.service }),
    ...(wanted.prefix === undefined ? {} : { prefix: wanted.prefix }),
  };
}

const scopeNames: Readonly<Record<number, AttributeScope>> = {
  [TagScope.span]: 'span',
  [TagScope.resource]: 'resource',
  [TagScope.scope]: 'instrumentation',
  [TagScope.event]: 'event',
  [TagScope.link]: 'link',
  // Paths into maps are searched like keys of their level.
  [TagScope.spanLeaf]: 'span',
  [TagScope.resourceLeaf]: 'resource',
  [TagScope.childLeaf]: 'event',
};

const typeNames: Readonly<Record<number, KeyEntry['types'][number]>> = {
  [ValueType.STRING]: 'string',
  [ValueType.INT]: 'int',
  [ValueType.DOUBLE]: 'double',
  [ValueType.BOOL]: 'bool',
  [ValueType.BYTES]: 'bytes',
  [ValueType.ARRAY]: 'array',
  [ValueType.KVLIST]: 'kvlist',
};

/** `GET /keys`. */
export const keys = catalog(async (deps, wanted, signal) => {
  const found = await deps.reader.tagKeys(deps.tenant, wanted.prefix ?? '', {
    range: rangeOf(wanted),
    limit: wanted.limit * 4,
    signal,
  });
  const { kept, facts } = cut(keyEntries(found), wanted.limit);
  return { keys: kept, facts } satisfies KeysAnswer;
});

/** One entry per key and scope, with every type it was seen with. Facts of other protocols are left out. */
function keyEntries(found: readonly TagKey[]): KeyEntry[] {
  const entries = new Map<string, { key: string; scope: AttributeScope; types: KeyEntry['types'][number][] }>();
  for (const { key, scope, type } of found) {
    const scopeName = scopeNames[scope];
    if (scopeName === undefined || key.startsWith('clew.carrier.')) continue;
    const id = `${scopeName} ${key}`;
    const entry = entries.get(id) ?? { key, scope: scopeName, types: [] };
    const typeName = typeNames[type];
    if (typeName !== undefined && !entry.types.includes(typeName)) entry.types.push(typeName);
    entries.set(id, entry);
  }
  return [...entries.values()];
}

/** `GET /values`. */
export const values = catalog(async (deps, wanted, signal) => {
  if (wanted.key === undefined) return 'key is missing; name the attribute whose values are wanted.';
  const key = wanted.key.replace(/^(resource|span|event|link|instrumentation)\./, '');
  const found = await deps.reader.tagValues(deps.tenant, key, wanted.prefix ?? '', {
    range: rangeOf(wanted),
    limit: wanted.limit + 1,
    signal,
  });
  const { kept, facts } = cut(found, wanted.limit);
  return { values: kept.map(valueEntry), facts } satisfies ValuesAnswer;
});

function valueEntry(text: string): ValueEntry {
  if (text === 'true' || text === 'false') return { type: 'boolean', text };
  return /^-?\d+(\.\d+)?$/.test(text) ? { type: 'number', text } : { type: 'string', text };
}

function rangeOf({ fromUnixNano, toUnixNano }: CatalogRequest) {
  return { startUnixNano: fromUnixNano, endUnixNano: toUnixNano - 1n };
}

function startsWith(text: string, prefix: string | undefined): boolean {
  return prefix === undefined || text.toLowerCase().startsWith(prefix.toLowerCase());
}

function cut<T>(list: readonly T[], limit: number): { readonly kept: readonly T[]; readonly facts: ListFacts } {
  const kept = list.slice(0, limit);
  const more = list.length > limit;
  return { kept, facts: { limit, returned: kept.length, more, stopReason: more ? 'limit' : 'complete', warnings: [] } };
}
