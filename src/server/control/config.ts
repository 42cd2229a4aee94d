import { z } from 'zod'

/** `HOLDFAST_CONTROL`: what the supervisor says to control, as JSON. */
export const controlPlan = z.strictObject({
  host: z.string().describe('address that the socket listens on'),
  port: z.number().int().min(0).max(65_535).describe('port that the socket listens on'),
  descriptor: z
    .number()
    .int()
    .min(3)
    .optional()
    .describe('the listening socket, inherited; absent: open one'),
})

/** What the supervisor says to control. */
export type ControlPlan = z.infer<typeof controlPlan>
