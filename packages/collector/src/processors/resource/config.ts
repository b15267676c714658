import { z } from 'zod';
import { actionSchema } from '../common/action-config.ts';

/** Settings of the `resource` processor. */
export const resourceConfigSchema = z.strictObject({
  attributes: z
    .array(actionSchema)
    .prefault([])
    .refine((actions) => actions.length > 0, { error: 'missing required field "attributes"' }),
});

/** Settings of the `resource` processor. */
export type ResourceConfig = z.output<typeof resourceConfigSchema>;
