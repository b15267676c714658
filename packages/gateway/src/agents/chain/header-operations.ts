import type { HeaderField, HeaderOperation } from '../answer.ts';
import type { AgentTelemetry } from '../telemetry.ts';

/** Field names (RFC 9110 section 5.6.2). */
const namePattern = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Field values: what Node's HTTP can write, without control characters, and without spaces around. */
const valuePattern = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/**
 * Fields that decide how a message is framed, that belong to one connection (RFC 9110 section 7.6.1), or that carry
 * the trace context the gateway answers for.
 */
const forbidden: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'http2-settings',
  'traceparent',
  'tracestate',
]);

function problemOf(name: string, value: string): 'forbidden' | 'malformed' | undefined {
  if (!namePattern.test(name) || !valuePattern.test(value)) return 'malformed';
  const lower = name.toLowerCase();
  return forbidden.has(lower) || lower.startsWith('proxy-') ? 'forbidden' : undefined;
}

/** The operations an agent may make; the others are counted and logged. */
export function allowedOperations(
  operations: readonly HeaderOperation[],
  telemetry: AgentTelemetry,
): readonly HeaderOperation[] {
  return operations.filter(({ name, value }) => isAllowed(name, value, telemetry));
}

/** The fields an agent may put on a response of its own. */
export function allowedFields(fields: readonly HeaderField[], telemetry: AgentTelemetry): readonly HeaderField[] {
  return fields.filter(([name, value]) => isAllowed(name, value, telemetry));
}

function isAllowed(name: string, value: string, telemetry: AgentTelemetry): boolean {
  const problem = problemOf(name, value);
  if (problem !== undefined) telemetry.headerRejected(problem, name);
  return problem === undefined;
}

/**
 * Applies operations in their order to fields listed as name, value, name, value, … `set` replaces all fields of the
 * name by one, in the place of the first; `add` appends one; `remove` takes all away.
 */
export function applyHeaderOperations(headers: readonly string[], operations: readonly HeaderOperation[]): string[] {
  let fields = [...headers];
  for (const { kind, name, value } of operations) {
    if (kind === 'add') fields.push(name, value);
    else fields = replaceField(fields, name, kind === 'set' ? value : undefined);
  }
  return fields;
}

function replaceField(fields: readonly string[], name: string, value: string | undefined): string[] {
  const lower = name.toLowerCase();
  const kept: string[] = [];
  let pending = value;
  for (let at = 0; at + 1 < fields.length; at += 2) {
    if (fields[at]!.toLowerCase() !== lower) kept.push(fields[at]!, fields[at + 1]!);
    else if (pending !== undefined) {
      kept.push(name, pending);
      pending = undefined;
    }
  }
  if (pending !== undefined) kept.push(name, pending);
  return kept;
}
