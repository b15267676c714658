import { z } from 'zod';
import { actionSchema } from '../common/action-config.ts';
import { spanMatchSchema } from '../common/match-config.ts';

/** Settings of the `attributes` processor. */
export const attributesConfigSchema = z.strictObject({
  actions: z
    .array(actionSchema)
    .prefault([])
    .refine((actions) => actions.length > 0, { error: 'missing required field "actions"' }),
  include: spanMatchSchema.optional(),
  exclude: spanMatchSchema.optional(),
});

/** Settings of the `attributes` processor. */
export type AttributesConfig = z.output<typeof attributesConfigSchema>;
