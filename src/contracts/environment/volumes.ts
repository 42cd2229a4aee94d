import { z } from 'zod'
import { declareFact, declareOperation } from '../declare.ts'
import { moment, nothing, serviceName } from '../shapes.ts'

/** Facts about volumes. */
export const volumeFacts = {
  volumeMade: declareFact({
    kind: 'environment.volume-made',
    says: 'volume {volume} was given a place',
    severity: 'notice',
    data: z.strictObject({ volume: serviceName, place: z.string() }),
  }),
} as const

const volumeView = z.strictObject({
  name: z.string(),
  place: z.string().describe('its directory on this machine, or the name of its Docker volume'),
  named: z.boolean().describe('the environment file names it; false: it was left over from an earlier one'),
  exclusive: z
    .boolean()
    .nullable()
    .describe('only one replica may have it at a time; null: the file does not say'),
  usedBy: z.array(serviceName).describe('services that write to it'),
  sizeBytes: z
    .number()
    .nullable()
    .describe('of its files; null: they may not be looked at, are too many to count, or lie with Docker'),
  since: moment.nullable().describe('when it was made; null: it is not there yet, or not on this machine'),
})

/** Volumes of the environment. */
export const volumeList = z.strictObject({ says: z.string(), volumes: z.array(volumeView) })

/** Volumes of the environment. */
export type VolumeList = z.infer<typeof volumeList>

/** Operations on volumes; one is made when the file names it, and removed by a plan alone. */
export const volumeOperations = {
  volumes: declareOperation({
    name: 'environment.volumes',
    summary: 'Show the volumes, how large they are, who uses them, and what was left over',
    input: nothing,
    output: volumeList,
    permission: 'view',
    limit: '60/min per caller',
    command: { words: 'volumes', positional: [] },
  }),
} as const
