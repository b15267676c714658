import { errorMessage } from '@clew/base';
import type { SamplingStrategy } from '@clew/wire/jaeger';
import { CollectorError } from '../../../errors.ts';
import { repeat } from '../repeat.ts';
import type { StrategyProvider } from '../strategy-provider.ts';
import type { SamplingEvents } from '../telemetry.ts';
import { formatFinding } from './strategies-document.ts';
import type { StrategiesSource } from './strategies-source.ts';
import { defaultBook, readStrategyBook } from './strategy-book.ts';
import type { StrategyBook } from './strategy-book.ts';

/** What strategies of a file are made with. */
export interface FileStrategiesOptions {
  /** Absent: every service gets the default probability. */
  readonly source?: StrategiesSource;
  /** 0: the file is read once. */
  readonly reloadIntervalMs: number;
  readonly defaultProbability: number;
  readonly events: SamplingEvents;
}

/** When a text was read that differs from the one before. */
interface LoadedBook {
  readonly book: StrategyBook;
  /** The text it was made of; undefined when there was none. */
  readonly text: string | undefined;
  readonly loadedUnixMs: number;
}

/** Serves the strategies of a file or address, and follows its changes. A reload that fails changes nothing. */
export class FileStrategies implements StrategyProvider {
  readonly #options: FileStrategiesOptions;
  readonly #stopping = new AbortController();
  #loaded: LoadedBook;
  /** Why the last reload failed: said once, not at every turn. */
  #failure: string | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: FileStrategiesOptions) {
    this.#options = options;
    this.#loaded = { book: defaultBook(options.defaultProbability), text: undefined, loadedUnixMs: Date.now() };
  }

  /** Reads the strategies for the first time; rejects with `sampling_unreadable` or `sampling_invalid` when they cannot be had. */
  async start(): Promise<void> {
    const { source, reloadIntervalMs } = this.#options;
    if (source === undefined || this.#loop !== undefined) return;
    this.#take(await source.read());
    const turn = async (): Promise<number> => {
      await this.#reload(source);
      return reloadIntervalMs;
    };
    const { signal } = this.#stopping;
    this.#loop = reloadIntervalMs > 0 ? repeat({ turn, firstPauseMs: reloadIntervalMs, signal }) : Promise.resolve();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
    await this.#options.source?.close();
  }

  strategyFor(service: string): SamplingStrategy {
    const { book } = this.#loaded;
    return book.services.get(service) ?? book.defaultStrategy;
  }

  snapshot(): Readonly<Record<string, unknown>> {
    const { book, loadedUnixMs } = this.#loaded;
    return {
      kind: 'file',
      source: this.#options.source?.name ?? null,
      services: book.services.size,
      loadedUnixMs,
      failure: this.#failure ?? null,
    };
  }

  async #reload(source: StrategiesSource): Promise<void> {
    try {
      const changed = this.#take(await source.read());
      this.#failure = undefined;
      this.#options.events.reloaded(changed ? 'changed' : 'unchanged');
    } catch (caught) {
      const reason = errorMessage(caught);
      const isNew = reason !== this.#failure;
      this.#failure = reason;
      this.#options.events.reloadFailed(reason, isNew);
    }
  }

  /** Puts a text in force, all at once; returns whether anything changed. Throws `sampling_invalid`. */
  #take(text: string | undefined): boolean {
    const { source, defaultProbability, events } = this.#options;
    if (text === this.#loaded.text) return false;
    const name = source?.name ?? '';
    if (text === undefined) {
      this.#put(defaultBook(defaultProbability), text);
      events.noStrategies(name);
      return true;
    }
    const read = readStrategyBook(text, defaultProbability);
    if (!read.ok) {
      const message = `cannot use the sampling strategies of ${name}: ${formatFinding(read.error)}`;
      throw new CollectorError('sampling_invalid', message);
    }
    const { book, warnings, warningCount } = read.value;
    this.#put(book, text);
    events.loaded(name, book.services.size, warnings.map(formatFinding), warningCount);
    return true;
  }

  #put(book: StrategyBook, text: string | undefined): void {
    this.#loaded = { book, text, loadedUnixMs: Date.now() };
  }
}
