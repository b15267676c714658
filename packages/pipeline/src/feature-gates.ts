import { didYouMean, fail, ok } from '@clew/base';
import type { Result } from '@clew/base';

/** How settled a gated behaviour is: alpha is off and beta on unless told otherwise, stable cannot be switched off. */
export type GateStage = 'alpha' | 'beta' | 'stable';

/** A behaviour that can be switched on and off by name. */
export interface FeatureGate {
  readonly id: string;
  readonly stage: GateStage;
  readonly description: string;
}

/** Every gate there is, under the reference collector's names. */
export const featureGates = [
  {
    id: 'confmap.enableMergeAppendOption',
    stage: 'alpha',
    description: 'Lists under service append when several configuration sources are merged, instead of replacing.',
  },
  {
    id: 'coreinternal.attraction.hash.sha256',
    stage: 'beta',
    description: 'The hash action of the attributes and resource processors uses SHA-256; off, it uses SHA-1.',
  },
] as const satisfies readonly FeatureGate[];

/** Name of a gate. */
export type FeatureGateId = (typeof featureGates)[number]['id'];

/** Which gates are on. */
export class FeatureGates {
  readonly #enabled: ReadonlySet<string>;

  private constructor(enabled: ReadonlySet<string>) {
    this.#enabled = enabled;
  }

  /** Gates as they are when nobody says anything. */
  static readonly defaults: FeatureGates = new FeatureGates(
    new Set(featureGates.filter((gate: FeatureGate) => gate.stage !== 'alpha').map(({ id }) => id)),
  );

  /**
   * Reads `--feature-gates`: identifiers separated by commas, each with `+` or nothing to switch it on and `-` to switch it off.
   *
   * @returns the gates, or what is wrong with the text.
   */
  static parse(text: string): Result<FeatureGates, string> {
    const enabled = new Set(FeatureGates.defaults.#enabled);
    for (const part of text
      .split(',')
      .map((piece) => piece.trim())
      .filter((piece) => piece !== '')) {
      const on = !part.startsWith('-');
      const id = part.replace(/^[+-]/, '');
      const gate: FeatureGate | undefined = featureGates.find((candidate) => candidate.id === id);
      if (gate === undefined) {
        const known = featureGates.map((candidate) => candidate.id);
        return fail(
          `feature gate ${JSON.stringify(id)} is unregistered${didYouMean(id, known)}; known gates: ${known.join(', ')}`,
        );
      }
      if (gate.stage === 'stable' && !on)
        return fail(`feature gate ${JSON.stringify(id)} is stable, can not be disabled`);
      if (on) enabled.add(id);
      else enabled.delete(id);
    }
    return ok(new FeatureGates(enabled));
  }

  /** Whether a gate is on. */
  isEnabled(id: FeatureGateId): boolean {
    return this.#enabled.has(id);
  }
}
