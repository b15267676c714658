import { extractB3, injectB3, injectB3Multi } from './b3.ts';
import { extractOpenCensus } from './binary-context.ts';
import type { CarrierGetter, CarrierSetter } from './carriers/carrier.ts';
import { ContextFormat } from './context.ts';
import type { TraceContext } from './context.ts';
import { extractJaeger, injectJaeger } from './jaeger.ts';
import { extractOtTracer } from './ot-tracer.ts';
import { extractW3c, injectW3c } from './w3c.ts';
import { extractXray, injectXray } from './xray.ts';

/** Several formats at once. Hot path, guarded by `bench/propagation`. */

/** The formats a service in a mixed estate tries, in this order; `bench/propagation` says what each costs when it is absent. */
export const DEFAULT_EXTRACTION: readonly ContextFormat[] = Object.freeze([
  ContextFormat.W3C,
  ContextFormat.B3,
  ContextFormat.JAEGER,
  ContextFormat.XRAY,
]);

/** What can be written; B3 has two forms. The deprecated formats are only read. */
export type InjectionFormat = 'tracecontext' | 'b3' | 'b3multi' | 'jaeger' | 'xray';

/**
 * Reads the context in the first of `formats` that names a remote parent; when none does, the first decision without one. False,
 * and `into` is untouched, when there is neither.
 */
export function extract<C>(
  formats: readonly ContextFormat[],
  carrier: C,
  getter: CarrierGetter<C>,
  into: TraceContext,
): boolean {
  let found = false;
  let format: ContextFormat | '' = '';
  let flags = 0;
  let debug = false;
  let debugId = '';
  // Counted by hand: an iterator costs memory until this function is optimised.
  for (let i = 0; i < formats.length; i++) {
    if (!extractOne(formats[i]!, carrier, getter, into)) continue;
    if (into.hasParent) return true;
    if (found) continue;
    found = true;
    ({ format, flags, debug, debugId } = into);
  }
  if (!found) return false;
  into.assign(format, '', '', flags, true);
  into.debug = debug;
  into.debugId = debugId;
  return true;
}

/** Writes the context in each of `formats`. */
export function inject<C>(
  formats: readonly InjectionFormat[],
  context: Readonly<TraceContext>,
  carrier: C,
  setter: CarrierSetter<C>,
): void {
  for (let i = 0; i < formats.length; i++) injectOne(formats[i]!, context, carrier, setter);
}

function extractOne<C>(format: ContextFormat, carrier: C, getter: CarrierGetter<C>, into: TraceContext): boolean {
  switch (format) {
    case ContextFormat.W3C:
      return extractW3c(carrier, getter, into);
    case ContextFormat.B3:
      return extractB3(carrier, getter, into);
    case ContextFormat.JAEGER:
      return extractJaeger(carrier, getter, into);
    case ContextFormat.XRAY:
      return extractXray(carrier, getter, into);
    case ContextFormat.OT_TRACER:
      return extractOtTracer(carrier, getter, into);
    case ContextFormat.OPEN_CENSUS:
      return extractOpenCensus(carrier, getter, into);
  }
}

function injectOne<C>(
  format: InjectionFormat,
  context: Readonly<TraceContext>,
  carrier: C,
  setter: CarrierSetter<C>,
): void {
  switch (format) {
    case 'tracecontext':
      return injectW3c(context, carrier, setter);
    case 'b3':
      return injectB3(context, carrier, setter);
    case 'b3multi':
      return injectB3Multi(context, carrier, setter);
    case 'jaeger':
      return injectJaeger(context, carrier, setter);
    case 'xray':
      return injectXray(context, carrier, setter);
  }
}
