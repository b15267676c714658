import { removeTracestateMember, setTracestateMember, tracestateMember } from '../tracestate.ts';
import { thresholdText } from './threshold.ts';
import { UINT56_DIGITS, atLeast, readUint56, sameUint56, uint56Text } from './uint56.ts';
import type { Uint56 } from './uint56.ts';

/** The key of OpenTelemetry's member of `tracestate`. */
export const OT_KEY = 'ot';

/** Characters its value may have. */
export const MAX_OT_VALUE = 256;

/**
 * OpenTelemetry's member of `tracestate`, `ot=rv:…;th:…`: https://opentelemetry.io/docs/specs/otel/trace/tracestate-handling/. One
 * object can serve many spans: parsing overwrites it whole.
 */
export class OtState {
  /** Whether a sampler said with which threshold it kept the trace. */
  hasThreshold = false;
  readonly threshold: Uint56 = { hi: 0, lo: 0 };
  /** Whether the root said that this is the randomness to use instead of the trace id's. */
  hasRandomness = false;
  readonly randomness: Uint56 = { hi: 0, lo: 0 };
  /** All other `key:value` pairs as they came, joined with `;`. */
  others = '';

  /** Forgets everything. */
  reset(): void {
    this.hasThreshold = false;
    this.hasRandomness = false;
    this.others = '';
  }

  /** Sets the threshold; one that keeps nothing has no text and counts as unknown. */
  setThreshold(threshold: Readonly<Uint56>): void {
    this.hasThreshold = threshold.hi < 2 ** 24;
    this.threshold.hi = threshold.hi;
    this.threshold.lo = threshold.lo;
  }

  setRandomness(randomness: Readonly<Uint56>): void {
    this.hasRandomness = true;
    this.randomness.hi = randomness.hi;
    this.randomness.lo = randomness.lo;
  }

  /** A threshold that would not have kept this randomness: whoever wrote it did not sample by it. */
  isInconsistent(randomness: Readonly<Uint56>): boolean {
    return this.hasThreshold && !atLeast(randomness, this.threshold);
  }
}

/**
 * Reads the `ot` member of a valid `tracestate`; true when there is one. Malformed parts are left out; of repeated ones the
 * first counts.
 */
export function parseOtState(tracestate: string, into: OtState): boolean {
  into.reset();
  const value = tracestate === '' ? undefined : tracestateMember(tracestate, OT_KEY);
  if (value === undefined) return false;
  for (let at = 0; at < value.length;) {
    const semicolon = value.indexOf(';', at);
    const end = semicolon < 0 ? value.length : semicolon;
    parsePart(value, at, end, into);
    at = end + 1;
  }
  return true;
}

/**
 * `tracestate` with the `ot` member that `state` says, at the left; without the member when it says nothing. The very same
 * text when the member says so already.
 */
export function writeOtState(tracestate: string, state: Readonly<OtState>): string {
  const present = parseOtState(tracestate, scratch);
  const value = otValue(state);
  if (value === '') return present ? removeTracestateMember(tracestate, OT_KEY) : tracestate;
  return present && sameState(scratch, state) && isWellFormed(tracestate, scratch)
    ? tracestate
    : setTracestateMember(tracestate, OT_KEY, value);
}

/** The value of the member: `rv`, `th`, others. Other parts that do not fit into 256 characters are left out. */
export function otValue(state: Readonly<OtState>): string {
  let value = state.hasRandomness ? `rv:${uint56Text(state.randomness)}` : '';
  if (state.hasThreshold) value += `${value === '' ? '' : ';'}th:${thresholdText(state.threshold)}`;
  if (state.others === '') return value;
  for (const part of state.others.split(';')) {
    const separator = value === '' ? '' : ';';
    if (value.length + separator.length + part.length <= MAX_OT_VALUE) value += separator + part;
  }
  return value;
}

function parsePart(text: string, start: number, end: number, into: OtState): void {
  const colon = text.indexOf(':', start);
  if (colon < 0 || colon >= end) return;
  if (text.startsWith('th:', start)) {
    if (!into.hasThreshold) into.hasThreshold = readUint56(text, colon + 1, end, into.threshold);
  } else if (text.startsWith('rv:', start)) {
    const whole = end - colon - 1 === UINT56_DIGITS;
    if (!into.hasRandomness && whole) into.hasRandomness = readUint56(text, colon + 1, end, into.randomness);
  } else if (isKey(text, start, colon) && isValue(text, colon + 1, end)) {
    into.others += `${into.others === '' ? '' : ';'}${text.slice(start, end)}`;
  }
}

function sameState(a: Readonly<OtState>, b: Readonly<OtState>): boolean {
  if (a.hasThreshold !== b.hasThreshold || a.hasRandomness !== b.hasRandomness || a.others !== b.others) return false;
  if (a.hasThreshold && !sameUint56(a.threshold, b.threshold)) return false;
  return !a.hasRandomness || sameUint56(a.randomness, b.randomness);
}

/** Whether the member, which reads as `state`, has no part that reading left out. */
function isWellFormed(tracestate: string, state: Readonly<OtState>): boolean {
  const value = tracestateMember(tracestate, OT_KEY) ?? '';
  const others = state.others === '' ? 0 : state.others.split(';').length;
  const parts = (state.hasThreshold ? 1 : 0) + (state.hasRandomness ? 1 : 0) + others;
  return value.length <= MAX_OT_VALUE && value.split(';').length === parts;
}

/** `[a-z][a-z0-9]*` */
function isKey(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    const letter = code >= 0x61 && code <= 0x7a;
    if (!letter && (i === start || code < 0x30 || code > 0x39)) return false;
  }
  return end > start;
}

/** `[A-Za-z0-9._-]*` */
function isValue(text: string, start: number, end: number): boolean {
  for (let i = start; i < end; i++) {
    const code = text.charCodeAt(i);
    const letter = (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
    if (!letter && (code < 0x30 || code > 0x39) && code !== 0x2d && code !== 0x2e && code !== 0x5f) return false;
  }
  return true;
}

const scratch = new OtState();
