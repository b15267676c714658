import { silentTelemetry } from '@clew/base';
import { fromPlain, plainResource, plainSpan, toPlain } from '@clew/model';
import type { PlainSpan, SpanBatch } from '@clew/model';
import type { z } from 'zod';
import type { Component, ComponentStatus, CreateSettings, Host } from '../component.ts';
import { decode } from '../config/decode.ts';
import { fromPlainValue } from '../config/node.ts';
import type { PlainValue } from '../config/node.ts';
import { formatProblem } from '../config/problem.ts';
import { SINGLE_TENANT } from '../consumer.ts';
import type { ConsumeContext, Durability, Refusal, TracesConsumer } from '../consumer.ts';

/** Long enough for a loaded machine; tests wait for conditions and only fail after it. */
export const patienceMs = 20_000;

/** Waits until `condition` holds; rejects with `what` after {@link patienceMs}. */
export async function eventually(what: string, condition: () => boolean): Promise<void> {
  const giveUpMs = performance.now() + patienceMs;
  while (!condition()) {
    if (performance.now() > giveUpMs) throw new Error(`did not happen in time: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** A consumer that remembers what it was given, and refuses or waits when told to. */
export class RecordingConsumer implements TracesConsumer {
  readonly mutatesData = false;
  /** Batches as plain spans, copied when they arrived. */
  readonly batches: PlainSpan[][] = [];
  readonly contexts: ConsumeContext[] = [];
  /** Asked for every batch: what it returns is thrown, and the batch not kept. */
  refuse: (spans: readonly PlainSpan[]) => Refusal | undefined = () => undefined;
  /** Returned by `admit`. */
  admission: Refusal | undefined;
  durable: Durability = { kind: 'durable' };
  /** Calls to `consumeTraces`, refused ones included. */
  calls = 0;
  #gate: Promise<void> | undefined;

  /** All spans taken, in order. */
  get spans(): PlainSpan[] {
    return this.batches.flat();
  }

  /** Makes every later call wait until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    return () => {
      this.#gate = undefined;
      resolve();
    };
  }

  durability(): Durability {
    return this.durable;
  }

  admit(): Refusal | undefined {
    return this.admission;
  }

  async consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    this.calls++;
    const spans = toPlain(batch);
    await this.#gate;
    const refusal = this.refuse(spans);
    if (refusal !== undefined) throw refusal;
    this.batches.push(spans);
    this.contexts.push(context);
  }
}

/** A host with the given extensions that remembers reported statuses. */
export class TestHost implements Host {
  readonly statuses: ComponentStatus[] = [];
  readonly #extensions: ReadonlyMap<string, Component>;

  constructor(extensions: Readonly<Record<string, Component>> = {}) {
    this.#extensions = new Map(Object.entries(extensions));
  }

  extension(id: string): Component | undefined {
    return this.#extensions.get(id);
  }

  capability<T extends Component>(guard: (component: Component) => component is T): T | undefined {
    for (const extension of this.#extensions.values()) if (guard(extension)) return extension;
    return undefined;
  }

  reportStatus(status: ComponentStatus): void {
    this.statuses.push(status);
  }
}

/** A context as a receiver makes it. */
export function testContext(extra: Partial<ConsumeContext> = {}): ConsumeContext {
  return { tenant: SINGLE_TENANT, receivedUnixNano: 1_700_000_000_000_000_000n, ...extra };
}

/** Settings as a configuration would give them, through the factory's own schema; throws its messages when they are refused. */
export function settingsFor<Config>(
  factory: { readonly type: string; readonly configSchema: z.ZodType<Config> },
  settings: unknown,
  extra: Partial<CreateSettings<Config>> = {},
): CreateSettings<Config> {
  const node = fromPlainValue((settings ?? null) as PlainValue, { source: 'test' });
  const decoded = decode(factory.configSchema, node, { path: [factory.type], decodePrefix: '' });
  if (!decoded.ok) throw new Error(decoded.problems.map((problem) => problem.message).join('\n'));
  return { id: factory.type, config: decoded.value, telemetry: silentTelemetry, ...extra };
}

/** The messages with which a factory's schema refuses settings; empty when it accepts them. */
export function settingProblems(
  factory: { readonly type: string; readonly configSchema: z.ZodType },
  settings: unknown,
): string[] {
  const node = fromPlainValue((settings ?? null) as PlainValue, { source: 'test' });
  const decoded = decode(factory.configSchema, node, { path: [factory.type], decodePrefix: '' });
  return decoded.ok
    ? []
    : decoded.problems.map((problem) => formatProblem({ ...problem, message: problem.message }).replace(/^test: /, ''));
}

let spanCounter = 0;

/** Distinct spans of two services with every kind of value, events and links: what no component may damage. */
export function sampleSpans(count: number, services: readonly string[] = ['orders', 'payment']): PlainSpan[] {
  const resources = services.map((service) => plainResource({ 'service.name': service, 'host.cpus': 8n }));
  const base = ++spanCounter * 0x10000;
  return Array.from({ length: count }, (_, index) => {
    const span = plainSpan({
      traceId: (base + (index >> 2) + 1).toString(16).padStart(32, '0'),
      spanId: (base + index + 1).toString(16).padStart(16, '0'),
      name: `operation ${index % 7}`,
      kind: index % 6,
      statusCode: index % 3,
      startUnixNano: 1_700_000_000_000_000_000n + BigInt(index),
      endUnixNano: 1_700_000_000_500_000_000n + BigInt(index),
      attributes: {
        'sample.text': `value ${index}`,
        'sample.int': 9_007_199_254_740_993n + BigInt(index),
        'sample.double': index / 3,
        'sample.flag': index % 2 === 0,
        'sample.empty': null,
        'sample.bytes': new Uint8Array([index & 0xff, 0, 255]),
        'sample.list': ['a', 1n, [true]],
      },
      resource: resources[index % resources.length]!,
    });
    return index % 5 === 0
      ? {
          ...span,
          events: [{ timeUnixNano: span.startUnixNano, name: 'happened', attributes: [], droppedAttributes: 1 }],
        }
      : span;
  });
}

/** A batch of {@link sampleSpans}. */
export function sampleBatch(count: number): SpanBatch {
  return fromPlain(sampleSpans(count));
}

/** The ids of spans, sorted: what arrived, whatever the order. */
export function spanIds(spans: readonly PlainSpan[]): string[] {
  return spans.map(({ spanId }) => String(spanId)).toSorted();
}

/** A deadline that is far away. */
export function farDeadline(): AbortSignal {
  return AbortSignal.timeout(patienceMs);
}
