/** Times of log lines; the text of a second is made once. Hot path, guarded by `bench/gateway-telemetry`. */

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const rfc3339 = { second: NaN, text: '' };

/** `2026-01-02T15:04:05.678Z`. */
export function rfc3339Millis(unixMs: number): string {
  const second = Math.floor(unixMs / 1000);
  if (second !== rfc3339.second) {
    rfc3339.second = second;
    rfc3339.text = new Date(second * 1000).toISOString().slice(0, 20);
  }
  return `${rfc3339.text}${String(unixMs - second * 1000).padStart(3, '0')}Z`;
}

/** {@link rfc3339Millis} as bytes. */
export class Rfc3339Millis {
  readonly #bytes = Buffer.from(rfc3339Millis(0), 'latin1');
  #unixMs = 0;

  /** The text of a time as bytes, valid until the next call. */
  of(unixMs: number): Uint8Array {
    if (unixMs !== this.#unixMs) {
      this.#bytes.write(rfc3339Millis(unixMs), 0, 'latin1');
      this.#unixMs = unixMs;
    }
    return this.#bytes;
  }
}

const common = { second: NaN, text: '' };

/** `02/Jan/2006:15:04:05 +0000`, as the common log format has it. */
export function commonLogTime(unixMs: number): string {
  const second = Math.floor(unixMs / 1000);
  if (second !== common.second) {
    const [date, time] = new Date(second * 1000).toISOString().split('T');
    const [year, month, day] = date!.split('-');
    common.second = second;
    common.text = `${day}/${months[Number(month) - 1]}/${year}:${time!.slice(0, 8)} +0000`;
  }
  return common.text;
}
