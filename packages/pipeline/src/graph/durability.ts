import type { Durability } from '../consumer.ts';

/**
 * What acknowledging promises when several consumers take the same data: durable when each of those that keep anything is.
 * The reasons of those that are not are told together.
 */
export function combineDurability(parts: readonly Durability[]): Durability {
  const volatile = parts.filter((part) => part.kind === 'memory');
  const keeping = parts.find((part) => part.kind === 'durable');
  if (volatile.length > 0) {
    const why = [...new Set(volatile.map((part) => part.why))].join('; ');
    const partly = keeping !== undefined || volatile.some((part) => part.partly === true);
    return { kind: 'memory', why, ...(partly ? { partly } : {}) };
  }
  if (keeping !== undefined) return keeping;
  const whys = parts.flatMap((part) => (part.kind === 'none' ? [part.why] : []));
  return { kind: 'none', why: [...new Set(whys)].join('; ') };
}

/** The words of the start banner and of `validate`: `acknowledged = durable`, or what it means instead and why. */
export function durabilityText(durability: Durability): string {
  switch (durability.kind) {
    case 'durable':
      return 'acknowledged = durable';
    case 'memory':
      return durability.partly === true
        ? `acknowledged = durable in part, else in memory (${durability.why})`
        : `acknowledged = in memory (${durability.why})`;
    case 'none':
      return `acknowledged = not kept (${durability.why})`;
  }
}

/** Whether an acknowledgement waits for something durable: who buffers in front of it would make it worth less. */
export function waitsForDurable(durability: Durability): boolean {
  return durability.kind === 'durable' || (durability.kind === 'memory' && durability.partly === true);
}
