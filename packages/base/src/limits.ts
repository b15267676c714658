import { formatByteSize } from './byte-size.ts';
import { BaseError } from './errors.ts';
import type { Meter } from './telemetry.ts';

/** What a limit counts; decides how values are written in messages. */
export type LimitUnit = 'bytes' | 'items' | 'spans' | 'levels' | 'milliseconds';

/** The fixed part of a limit: everything but the value a user chose. */
export interface LimitDefinition {
  /** Stable snake_case name: the label of its metric. */
  readonly name: string;
  /** Where a user changes it, such as `receivers::otlp::protocols::http::max_request_body_size`. */
  readonly setting: string;
  /** What is being limited, as the subject of a sentence: `the request body`. */
  readonly subject: string;
  readonly unit: LimitUnit;
  readonly defaultValue: number;
}

/** A bound on something that comes from outside: its value, the error that names it, and its metrics. */
export class Limit {
  readonly definition: LimitDefinition;
  /** The largest allowed amount; 0 means unlimited. */
  readonly value: number;
  #exceededCount = 0;

  constructor(definition: LimitDefinition, value: number = definition.defaultValue) {
    this.definition = definition;
    this.value = value;
  }

  /** How often the limit refused something since it was made. */
  get exceededCount(): number {
    return this.#exceededCount;
  }

  /** Whether `amount` is within the limit. */
  allows(amount: number): boolean {
    return this.value === 0 || amount <= this.value;
  }

  /** Counts a refusal and returns the error for it; `seen` is what was attempted, when known. */
  exceeded(seen?: number): BaseError {
    this.#exceededCount++;
    const { name, setting, subject, unit } = this.definition;
    const tail = seen === undefined ? '' : ` (seen: ${amountText(seen, unit)})`;
    return new BaseError(
      'limit_exceeded',
      `${subject} exceeds the limit of ${amountText(this.value, unit)}${tail}; raise ${setting} to allow more`,
      { details: { limit: name, setting, value: this.value, ...(seen === undefined ? {} : { seen }) } },
    );
  }

  /** Throws what {@link exceeded} returns when `amount` is beyond the limit. */
  check(amount: number): void {
    if (!this.allows(amount)) throw this.exceeded(amount);
  }
}

/**
 * Publishes limits as `clew_limit_value` and `clew_limit_exceeded_total`, labelled by limit and setting. The returned
 * function ends it.
 */
export function observeLimits(meter: Meter, limits: readonly Limit[]): () => void {
  const labels = ['limit', 'setting'];
  const labelsOf = ({ definition: { name, setting } }: Limit) => ({ limit: name, setting });
  const endValues = meter.observe(
    { name: 'clew_limit_value', help: 'Configured limits; 0 means unlimited.', labels },
    () => limits.map((limit) => ({ value: limit.value, labels: labelsOf(limit) })),
  );
  const endExceeded = meter.observe(
    { name: 'clew_limit_exceeded_total', help: 'How often a limit refused something.', labels, kind: 'counter' },
    () => limits.map((limit) => ({ value: limit.exceededCount, labels: labelsOf(limit) })),
  );
  return () => {
    endValues();
    endExceeded();
  };
}

function amountText(amount: number, unit: LimitUnit): string {
  return unit === 'bytes' ? `${amount} bytes (${formatByteSize(amount)})` : `${amount} ${unit}`;
}
