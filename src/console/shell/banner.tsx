import type { ReactNode } from 'react'
import { useConnection, useHouse } from '../data/house.ts'
import { useStore } from '../data/store.ts'
import { StateMark } from '../parts/basics.tsx'
import { Icon } from '../parts/icons.tsx'
import { sayFor } from '../words/format.ts'

const tellSkewMs = 60_000

/** Says calmly when control is away, or when this computer's clock is wrong. */
export function Banner(): ReactNode {
  const { state, skewMs } = useConnection()
  const skewed = Math.abs(skewMs) > tellSkewMs
  return (
    <div className="banner" role="status">
      {state === 'away' && (
        <p>
          <StateMark state="busy" />
          <span>
            <b>Control is restarting; your service runs on.</b> What you see is the last that it said; this
            page goes on by itself.
          </span>
        </p>
      )}
      {state === 'there' && skewed && (
        <p>
          <StateMark state="warn" />
          <span>
            The clock of this computer is {sayFor(0, Math.abs(skewMs))} {skewMs < 0 ? 'ahead of' : 'behind'}{' '}
            the server’s. Times here are the server’s.
          </span>
        </p>
      )}
    </div>
  )
}

/** The announcements of changes, read out and shown at the bottom. */
export function Notices(): ReactNode {
  const { notices } = useHouse()
  const shown = useStore(notices)
  const dismiss = (id: number): void => notices.set(notices.get().filter((notice) => notice.id !== id))
  return (
    <div className="notices" role="log" aria-label="Announcements" aria-live="polite">
      {shown.map((notice) => (
        <div key={notice.id} className="notice">
          <StateMark state={notice.tone === 'good' ? 'good' : 'bad'} />
          <span>{notice.href === undefined ? notice.text : <a href={notice.href}>{notice.text}</a>}</span>
          <button type="button" aria-label="Dismiss" onClick={() => dismiss(notice.id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  )
}
