/** What the engine said: its error number, when it gave one, and its text. */
export class EngineFailure extends Error {
  readonly engineCode: number | undefined;
  constructor(message: string, engineCode: number | undefined, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EngineFailure';
    this.engineCode = engineCode;
  }
}
