import type { ReactNode } from 'react'
import type { Drift } from '../../../contracts/index.ts'
import { useNow } from '../../data/house.ts'
import { Section, StateWord } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { sayAgo, sayMoment } from '../../words/format.ts'

type Item = Drift['items'][number]

/** Where the facts about an object are; null: it has none of its own. */
function hrefOf(object: string): string | null {
  const [kind, name = ''] = object.split(/ (.*)/s)
  if (kind === 'service' || kind === 'database') return placeOf(['services', name])
  return kind === 'volume' ? placeOf(['data', 'volume', name]) : null
}

function What({ object }: { object: string }): ReactNode {
  const href = hrefOf(object)
  return <StateWord state="warn">{href === null ? object : <a href={href}>{object}</a>}</StateWord>
}

const columns = (now: number): readonly Column<Item>[] => [
  { key: 'object', label: 'what', cell: ({ object }) => <What object={object} /> },
  { key: 'says', label: 'how it differs', plain: true, cell: ({ says }) => says },
  {
    key: 'since',
    label: 'since',
    number: true,
    cell: ({ since }) => (since === null ? '–' : <time title={sayMoment(since)}>{sayAgo(since, now)}</time>),
  },
]

/** What differs between what was applied and what is. */
export function DriftSection({ drift }: { drift: Drift | undefined }): ReactNode {
  const now = useNow(1000)
  if (drift === undefined) return null
  return (
    <Section title="Drift" aside={<code className="soft">holdfast environment drift</code>}>
      <p>
        <StateWord state={drift.items.length === 0 ? 'good' : 'warn'}>{drift.says}.</StateWord>
      </p>
      {drift.items.length > 0 && (
        <Table
          label="Drift"
          className="drift"
          columns={columns(now)}
          rows={drift.items}
          rowKey={({ object, says }) => `${object} ${says}`}
        />
      )}
    </Section>
  )
}
