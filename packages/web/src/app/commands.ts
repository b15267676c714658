import {
  absorbErrorTag,
  defaultExplore,
  emptyFilter,
  findTraceId,
  formatExplore,
  parseFilter,
  parseTags,
  traceLink,
} from '@clew/api';

/** Something the search box of the global bar can do. */
export interface Command {
  readonly id: string;
  readonly title: string;
  readonly note: string;
  /** Where it leads, or what it does. */
  readonly target: string | (() => void);
}

/**
 * What a text in the global search box may mean, best guess first: a trace id anywhere in it, TraceQL, tags, a
 * service, or one of the page's own commands.
 */
export function commandsFor(text: string, services: readonly string[], own: readonly Command[]): readonly Command[] {
  const trimmed = text.trim();
  const needle = trimmed.toLowerCase();
  const matchingOwn = own.filter((command) => command.title.toLowerCase().includes(needle));
  if (trimmed === '') return matchingOwn;
  return [...traceCommand(trimmed), ...queryCommands(trimmed), ...serviceCommands(needle, services), ...matchingOwn];
}

function traceCommand(text: string): readonly Command[] {
  // Eight hex digits could be a word such as "deadbeef"; offer them, but a service of that name may follow.
  const traceId = findTraceId(text);
  return traceId === undefined
    ? []
    : [{ id: 'trace', title: `Open trace ${traceId}`, note: 'Trace', target: traceLink(traceId) }];
}

function queryCommands(text: string): readonly Command[] {
  if (text.startsWith('{')) {
    const filter = parseFilter(text);
    return filter.ok ? [explore('query', `Search ${text}`, 'TraceQL', filter.value)] : [];
  }
  const terms = /[=<>]/.test(text) ? parseTags(text) : undefined;
  if (terms === undefined || !terms.ok || terms.value.every((term) => term.operator === 'exists')) return [];
  return [explore('tags', `Spans with ${text}`, 'Tags', absorbErrorTag({ ...emptyFilter, terms: terms.value }))];
}

function serviceCommands(needle: string, services: readonly string[]): readonly Command[] {
  return services
    .filter((service) => service.toLowerCase().includes(needle))
    .slice(0, 8)
    .map((service) => explore(`service ${service}`, service, 'Service', { ...emptyFilter, service }));
}

function explore(id: string, title: string, note: string, filter: typeof emptyFilter): Command {
  return { id, title, note, target: formatExplore({ ...defaultExplore, filter }) };
}
