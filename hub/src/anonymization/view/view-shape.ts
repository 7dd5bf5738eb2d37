import { z } from 'zod'

/** The subset of SQL on FHIR v2 ViewDefinition that is read: one level of `select`, `forEach`, `column`, `where`. */
const column = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9_]{0,40}$/),
  path: z.string(),
  type: z.enum(['string', 'code', 'date', 'decimal']).default('string'),
  description: z.string().default(''),
})

export const viewDefinition = z.strictObject({
  resourceType: z.literal('ViewDefinition').default('ViewDefinition'),
  name: z.string().regex(/^[a-z][a-z0-9_]{0,40}$/),
  title: z.string().default(''),
  resource: z.string(),
  status: z.literal('active').default('active'),
  select: z
    .array(
      z.strictObject({
        forEach: z.string().optional(),
        forEachOrNull: z.string().optional(),
        column: z.array(column).min(1),
      }),
    )
    .min(1),
  where: z.array(z.strictObject({ path: z.string() })).default([]),
})

export type ViewDefinition = z.infer<typeof viewDefinition>
export type ViewColumn = z.infer<typeof column>
