import type { ReactNode } from 'react'
import type { Drift } from '../../../contracts/index.ts'
import { useNow } from '../../data/house.ts'
import { Section, StateWord } from '../../parts/basics.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { splitDrift } from '../../words/changes.ts'
import { placeOfDatabase, placeOfVolume } from '../../words/data.ts'
import { sayAgo, sayMoment, sayThings } from '../../words/format.ts'

type Item = Drift['items'][number]

/** Where the facts about an object are; null: it has none of its own. */
function hrefOf(object: string): string | null {
  const [kind, name = ''] = object.split(/ (.*)/s)
  if (kind === 'service') return placeOf(['services', name])
  if (kind === 'database') return placeOfDatabase(name)
  return kind === 'volume' ? placeOfVolume(name) : null
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
  const { items, unapplied } = splitDrift(drift.items)
  return (
    <Section title="Drift" aside={<code className="soft">holdfast environment drift</code>}>
      <p>
        <StateWord state={drift.items.length === 0 ? 'good' : 'warn'}>{drift.says}.</StateWord>
      </p>
      {unapplied > 0 && (
        <p className="soft">
          {items.length === 0 ? 'All of it is' : sayThings(unapplied, 'of them is', 'of them are')} in the
          file, which was changed and not applied: see the plan.
        </p>
      )}
      {items.length > 0 && (
        <Table
          label="Drift"
          columns={columns(now)}
          rows={items}
          rowKey={({ object, says }) => `${object} ${says}`}
        />
      )}
    </Section>
  )
}
