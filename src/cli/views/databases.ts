import type { DatabaseList } from '../../contracts/index.ts'
import { saySize } from '../../kernel/std/index.ts'
import { harmless, table, type Paper, type Tone } from '../output/index.ts'
import type { Views } from './view.ts'

const tones: Readonly<Record<DatabaseList['databases'][number]['state'], Tone>> = {
  healthy: 'good',
  starting: 'warning',
  degraded: 'warning',
  down: 'bad',
}

const columns = [
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
    ...(rows.length === 0 ? [] : ['', ...table(columns, rows, paper)]),
  ]
}

/** How databases are drawn. */
export const databaseViews = {
  'environment.databases': databaseLines,
} satisfies Views
