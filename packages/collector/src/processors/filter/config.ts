import { z } from 'zod';
import { spanMatchSchema } from '../common/match-config.ts';

const conditions = z.array(z.string()).optional();

const ottlAdvice =
  'OTTL conditions are not available in this build yet; select spans with spans.include and spans.exclude (match_type strict or regexp) instead';

/** Settings of the `filter` processor. */
export const filterConfigSchema = z
  .strictObject({
    error_mode: z.enum(['ignore', 'silent', 'propagate']).prefault('ignore'),
    spans: z.strictObject({ include: spanMatchSchema.optional(), exclude: spanMatchSchema.optional() }).optional(),
    traces: z.strictObject({ resource: conditions, span: conditions, spanevent: conditions }).optional(),
    trace_conditions: z.array(z.unknown()).optional(),
  })
  .superRefine(({ spans, traces, trace_conditions }, context) => {
    const at = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    const hasTraces =
      traces !== undefined && Object.values(traces).some((list) => list !== undefined && list.length > 0);
    const hasSpans = spans?.include !== undefined || spans?.exclude !== undefined;
    if (hasTraces && hasSpans) {
      return at(
        [],
        'cannot use "traces.resource", "traces.span", "traces.spanevent" and the span settings "spans.include", "spans.exclude" at the same time',
      );
    }
    if (hasTraces && trace_conditions !== undefined) {
      return at(
        [],
        'cannot use "trace_conditions" and "traces.resource", "traces.span", "traces.spanevent" at the same time',
      );
    }
    if (hasTraces) at(['traces'], ottlAdvice);
    if (trace_conditions !== undefined && trace_conditions.length > 0) at(['trace_conditions'], ottlAdvice);
  });

/** Settings of the `filter` processor. */
export type FilterConfig = z.output<typeof filterConfigSchema>;
