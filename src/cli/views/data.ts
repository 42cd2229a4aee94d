import type { DatabaseList, VolumeList } from '../../contracts/index.ts'
import { saySize } from '../../kernel/std/index.ts'
import { harmless, sayAgo, table, type Paper, type Tone } from '../output/index.ts'
import type { Views } from './view.ts'

const tones: Readonly<Record<DatabaseList['databases'][number]['state'], Tone>> = {
  healthy: 'good',
  starting: 'warning',
  degraded: 'warning',
  down: 'bad',
}

const databaseColumns = [
  { title: 'DATABASE' },
  { title: 'ENGINE' },
  { title: 'VERSION' },
  { title: 'STATE' },
  { title: 'ADDRESS' },
  { title: 'IN IT' },
  { title: 'ON DISK', align: 'right' },
] as const

function databaseLines({ says, databases }: DatabaseList, paper: Paper): readonly string[] {
  const rows = databases.map((database) => [
    database.name,
    database.managed ? database.engine : `${database.engine}, run by others`,
    database.version ?? '',
    paper.paint(tones[database.state], database.state),
    harmless(database.address),
    database.names.join(', '),
    database.sizeBytes === null ? '' : saySize(database.sizeBytes),
  ])
  return [
    paper.paint('strong', harmless(says)),
    ...(rows.length === 0 ? [] : ['', ...table(databaseColumns, rows, paper)]),
  ]
}

const volumeColumns = [
  { title: 'VOLUME' },
  { title: 'PLACE' },
  { title: 'USED BY' },
  { title: 'SHARED' },
  { title: 'SINCE' },
  { title: 'SIZE', align: 'right' },
] as const

const sayShared = (exclusive: boolean | null): string => {
  if (exclusive === null) return ''
  return exclusive ? 'exclusive' : 'shared'
}

function volumeLines({ says, volumes }: VolumeList, paper: Paper): readonly string[] {
  const rows = volumes.map(({ name, place, named, exclusive, usedBy, sizeBytes, since }) => [
    harmless(name),
    harmless(place),
    named ? usedBy.join(', ') : paper.paint('warning', 'left over'),
    sayShared(exclusive),
    since === null ? '' : sayAgo(since, paper.nowMs),
    sizeBytes === null ? '' : saySize(sizeBytes),
  ])
  const isLeft = volumes.some(({ named }) => !named)
  return [
    paper.paint('strong', harmless(says)),
    ...(rows.length === 0 ? [] : ['', ...table(volumeColumns, rows, paper)]),
    ...(isLeft
      ? ['', 'What is left over is kept. Name it in the file again to use it, or to remove it by a plan.']
      : []),
  ]
}

/** How databases and volumes are drawn. */
export const dataViews = {
  'environment.databases': databaseLines,
  'environment.volumes': volumeLines,
} satisfies Views
