import type { ReactNode } from 'react'
import { placeOf } from '../../router/router.ts'

/** A subject, leading to why it was refused; the empty one is everybody together. */
export function SubjectLink({ subject, at }: { subject: string; at?: number }): ReactNode {
  const [first = ''] = subject.split(' and ')
  if (first === '') return 'everybody together'
  const query = { subject: first, at: at === undefined ? '' : String(at) }
  return (
    <a className="code" href={placeOf(['limits', 'explain'], query)}>
      {subject}
    </a>
  )
}
