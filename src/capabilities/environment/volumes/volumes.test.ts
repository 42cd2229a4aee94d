import { expect, test } from 'vitest'
import { ask, contextOf } from '../../../../test/support/context.ts'
import { openSeries } from '../../../kernel/series/index.ts'
import { seededRandom, virtualClock } from '../../../kernel/std/index.ts'
import { memoryTimeline } from '../../../kernel/timeline/index.ts'
import { servicesConfig, volumesConfig } from '../config.ts'
import type { KeptVolume } from '../ports.ts'
import { bindVolumes, makeVolumes } from './index.ts'

const volumes = volumesConfig.parse({ uploads: {}, exports: { exclusive: true } })
const services = servicesConfig.parse({
  web: { command: ['run'], volumes: ['uploads', 'exports'] },
  mailer: { command: ['run'], volumes: ['uploads'] },
})
const placeOf = (volume: string): string => `/data/${volume}`

function listed(kept: readonly KeptVolume[], named = volumes): Promise<Record<string, unknown>> {
  const store = { placeOf, list: () => Promise.resolve(kept) }
  const operations = bindVolumes({ volumes: named, services, store })
  return ask({ operations } as unknown as Parameters<typeof ask>[0], 'environment.volumes')
}

const keptAs = (name: string, sizeBytes: number | null): KeptVolume => ({
  name,
  place: placeOf(name),
  sizeBytes,
  since: 7,
})

test('volumes are shown with who uses them, and what is left over after them', async () => {
  const answer = await listed([keptAs('exports', 2048), keptAs('old', 1024)])
  expect(answer['volumes']).toEqual([
    {
      name: 'uploads',
      place: '/data/uploads',
      named: true,
      exclusive: false,
      usedBy: ['web', 'mailer'],
      sizeBytes: null,
      since: null,
    },
    {
      name: 'exports',
      place: '/data/exports',
      named: true,
      exclusive: true,
      usedBy: ['web'],
      sizeBytes: 2048,
      since: 7,
    },
    {
      name: 'old',
      place: '/data/old',
      named: false,
      exclusive: null,
      usedBy: [],
      sizeBytes: 1024,
      since: 7,
    },
  ])
  expect(answer['says']).toBe('The file names 2 volumes; left over: old, 3.0 KiB in all, as far as is known')
})

test.each([
  [{}, [], 'The file names no volume'],
  [{}, [keptAs('old', null)], 'The file names no volume; left over: old'],
  [{ uploads: { exclusive: false } }, [keptAs('uploads', 10)], 'The file names 1 volume, 10 B in all'],
])('what is said of %j', async (named, kept, says) => {
  expect((await listed(kept, named))['says']).toBe(says)
})

test('a volume that is made is a fact, one that was there is none', async () => {
  const clock = virtualClock()
  const timeline = memoryTimeline({ clock, random: seededRandom(3) })
  const context = contextOf({ timeline, series: await openSeries({ path: null, clock }), clock })
  const store = {
    directoryOf: placeOf,
    placeOf,
    ensure: (volume: string) => Promise.resolve(volume === 'exports'),
    list: () => Promise.resolve([]),
    remove: () => Promise.resolve(),
    whyKept: () => Promise.resolve(null),
  }
  await makeVolumes(volumes, store, context)
  const facts = await timeline.read({ limit: 10, order: 'oldest' })
  expect(facts.map(({ kind, subject, data }) => [kind, subject, data])).toEqual([
    ['environment.volume-made', 'volume:exports', { volume: 'exports', place: '/data/exports' }],
  ])
})
