import { SpanBatch } from '@clew/model';
import { z } from 'zod';
import type { Component, ComponentFactory, CreateSettings, Host, ReceiverOutputs } from '../../component.ts';
import { loadConfig } from '../../config/load.ts';
import type { Configuration } from '../../config/model.ts';
import { formatProblem } from '../../config/problem.ts';
import { SINGLE_TENANT } from '../../consumer.ts';
import type { ConsumeContext, Durability, Refusal, TracesConsumer } from '../../consumer.ts';
import { ComponentRegistry } from '../../registry/registry.ts';

/** How a fake behaves; part of its settings, so that a configuration says what happens. */
const behaviour = z.strictObject({
  mutates: z.boolean().prefault(false),
  durable: z.boolean().prefault(false),
  fail_create: z.boolean().prefault(false),
  fail_start: z.boolean().prefault(false),
  fail_stop: z.boolean().prefault(false),
  note: z.string().prefault(''),
});
type Behaviour = z.output<typeof behaviour>;

/** What fakes did, in order, such as `start exporter/a`; and the fakes themselves. */
export interface Stage {
  readonly log: string[];
  readonly fakes: Fake[];
  readonly registry: ComponentRegistry;
  /** The last fake made for an id. */
  fake(id: string): Fake;
}

/** A component of any kind that records what happens to it. */
export class Fake implements Component, TracesConsumer {
  readonly id: string;
  readonly mutatesData: boolean;
  /** Batches taken, by reference. */
  readonly taken: SpanBatch[] = [];
  readonly settings: Behaviour;
  readonly next: TracesConsumer | undefined;
  host: Host | undefined;
  /** Thrown by `consumeTraces` and returned by `admit` when set. */
  refusal: Refusal | undefined;
  readonly #log: string[];

  constructor(log: string[], { id, config }: CreateSettings<Behaviour>, next: TracesConsumer | undefined) {
    if (config.fail_create) throw new Error('cannot be made');
    this.id = id;
    this.#log = log;
    this.settings = config;
    this.next = next;
    this.mutatesData = config.mutates;
  }

  start(host: Host): Promise<void> {
    this.host = host;
    this.#log.push(`start ${this.id}`);
    return this.settings.fail_start ? Promise.reject(new Error('will not start')) : Promise.resolve();
  }

  stop(): Promise<void> {
    this.#log.push(`stop ${this.id}`);
    return this.settings.fail_stop ? Promise.reject(new Error('will not stop')) : Promise.resolve();
  }

  snapshot(): Readonly<Record<string, unknown>> {
    return { taken: this.taken.length };
  }

  durability(): Durability {
    if (this.next !== undefined) return this.next.durability();
    return this.settings.durable ? { kind: 'durable' } : { kind: 'memory', why: `exporter "${this.id}" has a queue` };
  }

  admit(requestBytes: number): Refusal | undefined {
    return this.refusal ?? this.next?.admit(requestBytes);
  }

  async consumeTraces(batch: SpanBatch, context: ConsumeContext): Promise<void> {
    this.taken.push(batch);
    if (this.refusal !== undefined) throw this.refusal;
    if (this.mutatesData) batch.kinds[0] = 99;
    await this.next?.consumeTraces(batch, context);
  }
}

/** Fakes for every kind: `in`, `step`, `out`, `link`, `ext`; `metricsonly` is an exporter without traces. */
export function stage(): Stage {
  const log: string[] = [];
  const fakes: Fake[] = [];
  const make = (settings: CreateSettings<Behaviour>, next?: TracesConsumer | ReceiverOutputs): Fake => {
    const consumer = next !== undefined && 'consumeTraces' in next ? next : next?.traces;
    const fake = new Fake(log, settings, consumer);
    fakes.push(fake);
    return fake;
  };
  const common = { configSchema: behaviour, placement: 'stateless', stability: { traces: 'stable' } } as const;
  const factories = [
    { ...common, kind: 'receiver', type: 'in', create: make },
    { ...common, kind: 'processor', type: 'step', create: make },
    { ...common, kind: 'exporter', type: 'out', create: make },
    { ...common, kind: 'exporter', type: 'metricsonly', stability: { metrics: 'stable' }, create: make },
    { ...common, kind: 'connector', type: 'link', create: make },
    { ...common, kind: 'extension', type: 'ext', create: make, placement: 'singleton' },
  ] as unknown as readonly ComponentFactory[];
  const fake = (id: string): Fake => {
    const found = fakes.findLast((candidate) => candidate.id === id);
    if (found === undefined) throw new Error(`no fake was made for ${id}`);
    return found;
  };
  return { log, fakes, registry: new ComponentRegistry(factories), fake };
}

/** The configuration in a YAML text; throws when it is not valid. */
export async function configOf(text: string, registry: ComponentRegistry): Promise<Configuration> {
  const result = await loadConfig({ sources: ['test.yaml'], registry, readFile: () => Promise.resolve(text), env: {} });
  if (!result.ok) throw new Error(result.error.map(formatProblem).join('\n'));
  return result.value;
}

/** A batch of `count` spans of one resource, told apart by their kind. */
export function batchOf(count: number): SpanBatch {
  const batch = new SpanBatch();
  const scope = batch.scopeTable.add(batch.resourceTable.add(0), 0);
  for (let row = 0; row < count; row++) {
    const span = batch.addSpan(scope);
    batch.kinds[span] = row % 6;
    batch.spanIds[span * 8] = row + 1;
    batch.endSpan(span);
  }
  return batch;
}

/** A context as a receiver would make it. */
export const testContext: ConsumeContext = { tenant: SINGLE_TENANT, receivedUnixNano: 1_700_000_000_000_000_000n };
