import type { ReactNode } from 'react'
import type { Answer } from '../../data/house.ts'

/** An operation as control describes it. */
export type Described = Answer<'operations.list'>['operations'][number]

/** What an operation can do to the world, in a word. */
export function DangerTag({ danger }: { danger: Described['danger'] }): ReactNode {
  if (danger === 'none') return <span className="soft">reads</span>
  return <span className={`tag ${danger === 'destroys' ? 'tag-bad' : 'tag-warn'}`}>{danger}</span>
}
