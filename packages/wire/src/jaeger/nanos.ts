/**
 * A time in nanoseconds since 1970 as two unsigned words, and how Jaeger's two units become one: signed microseconds in
 * Thrift, signed seconds and nanoseconds in protobuf.
 *
 * What lies before 1970 or behind the year 2554 cannot be kept and becomes the first or last moment that can: in each unit
 * the last whole one, so that a time that was clamped once stays what it is when written and read again.
 *
 * A hot path, guarded by `bench/codec`: nothing is allocated and no 64-bit value is a `number`.
 */
export class Nanos {
  /** Low and high word, unsigned. */
  lo = 0;
  hi = 0;

  /** Sets the time to signed microseconds given as two words. */
  setMicros(lo: number, hi: number): void {
    this.lo = 0;
    this.hi = 0;
    this.addMicros(lo, hi);
  }

  /** Adds signed microseconds given as two unsigned words. */
  addMicros(lo: number, hi: number): void {
    const isNegative = hi >= 0x8000_0000;
    const low = isNegative ? -lo >>> 0 : lo;
    const high = isNegative ? (~hi + (lo === 0 ? 1 : 0)) >>> 0 : hi;
    const product = low * 1000;
    const carry = Math.floor(product / WORD);
    this.#add(product - carry * WORD, high * 1000 + carry, isNegative, LAST_MICRO_LO);
  }

  /** Sets the time to signed seconds given as two unsigned words, and signed nanoseconds. */
  setSeconds(lo: number, hi: number, nanos: number): void {
    this.lo = 0;
    this.hi = 0;
    this.addSeconds(lo, hi, nanos);
  }

  /** Adds signed seconds given as two unsigned words, and signed nanoseconds. */
  addSeconds(lo: number, hi: number, nanos: number): void {
    const isNegative = hi >= 0x8000_0000;
    const low = isNegative ? -lo >>> 0 : lo;
    const high = isNegative ? (~hi + (lo === 0 ? 1 : 0)) >>> 0 : hi;
    if (high > MAX_SECONDS_HI) this.#add(0, WORD, isNegative, LAST_NANO_LO);
    else {
      // 35 bits times 30 bits: the upper and the lower 16 bits of the seconds each give an exact product.
      const seconds = high * WORD + low;
      const upper = Math.floor(seconds / 0x1_0000);
      const product = upper * 1e9;
      const productHigh = Math.floor(product / 0x1_0000);
      const rest = (product - productHigh * 0x1_0000) * 0x1_0000 + (seconds - upper * 0x1_0000) * 1e9;
      const carry = Math.floor(rest / WORD);
      this.#add(rest - carry * WORD, productHigh + carry, isNegative, LAST_NANO_LO);
    }
    if (nanos !== 0) this.#add(Math.abs(nanos), 0, nanos < 0, LAST_NANO_LO);
  }

  /** Adds or subtracts a magnitude; `hi` may be 2^32 or more, which is too much in any case. */
  #add(lo: number, hi: number, isNegative: boolean, lastLo: number): void {
    if (isNegative) {
      const borrow = this.lo < lo ? 1 : 0;
      const high = this.hi - hi - borrow;
      this.lo = high < 0 ? 0 : (this.lo - lo) >>> 0;
      this.hi = high < 0 ? 0 : high;
      return;
    }
    const low = this.lo + lo;
    const carry = low >= WORD ? 1 : 0;
    const high = this.hi + hi + carry;
    this.lo = high >= WORD ? lastLo : low - carry * WORD;
    this.hi = high >= WORD ? WORD - 1 : high;
    if (this.hi === WORD - 1 && this.lo > lastLo) this.lo = lastLo;
  }
}

/** The words of a duration or time in one of Jaeger's units, as its encoders write it. */
export class JaegerTime {
  /** Microseconds, or seconds: low and high word, unsigned (two's complement when negative). */
  lo = 0;
  hi = 0;
  /** Nanoseconds beside seconds, of the same sign. */
  nanos = 0;

  /** Sets the microseconds of a time or of the magnitude of a duration; what is less than one is dropped. */
  micros(lo: number, hi: number, isNegative: boolean): void {
    const high = Math.floor(hi / 1000);
    const low = Math.floor(((hi - high * 1000) * WORD + lo) / 1000);
    this.#signed(low, high, isNegative);
  }

  /** Sets seconds and nanoseconds of a time or of the magnitude of a duration. */
  seconds(lo: number, hi: number, isNegative: boolean): void {
    // The quotient of rounded numbers is off by one at most, which the exact remainder tells.
    let seconds = Math.floor((hi * WORD + lo) / 1e9);
    let nanos = (lo - Math.imul(seconds % WORD, 1e9)) | 0;
    if (nanos < 0) {
      seconds--;
      nanos += 1e9;
    } else if (nanos >= 1e9) {
      seconds++;
      nanos -= 1e9;
    }
    const high = Math.floor(seconds / WORD);
    this.#signed(seconds - high * WORD, high, isNegative);
    this.nanos = isNegative ? -nanos : nanos;
  }

  #signed(lo: number, hi: number, isNegative: boolean): void {
    this.lo = isNegative ? -lo >>> 0 : lo;
    this.hi = isNegative ? (~hi + (lo === 0 ? 1 : 0)) >>> 0 : hi;
  }
}

const WORD = 0x1_0000_0000;
/** Low words of the last whole microsecond and the last nanosecond that can be kept; the high word is all ones. */
const LAST_MICRO_LO = WORD - 1 - 615;
const LAST_NANO_LO = WORD - 1;
/** 2^64 nanoseconds are 18,446,744,073 seconds, whose high word is 4. */
const MAX_SECONDS_HI = 4;
