import { useState, type ReactNode } from 'react'
import type { NamesOf } from '../../client/index.ts'
import type { Operations } from '../../contracts/index.ts'
import { useMay } from '../data/changes.ts'
import { useJob, type JobWords } from '../data/jobs.ts'
import { Button, Meter } from './basics.tsx'
import { Confirm } from './dialog.tsx'
import type { IconName } from './icons.tsx'

/** What a button that starts a job says and does. */
export interface JobButtonProps<Name extends NamesOf<'job'>> {
  readonly operation: Name
  readonly input: Operations[Name]['input']
  readonly label: string
  /** The name of it where several stand below one another, and of its dialog: `Restart web`. */
  readonly title: string
  readonly action: string
  readonly plan: readonly ReactNode[]
  /** To be typed, each, before the job can be asked for. */
  readonly typed?: readonly string[] | undefined
  readonly icon?: IconName
  readonly look?: 'quiet' | 'main'
  readonly disabled?: boolean
  readonly words: JobWords<Name>
}

/** Shows the plan of a job, asks for it, then shows its progress; what came of it is announced. For those who may operate. */
export function JobButton<Name extends NamesOf<'job'>>(props: JobButtonProps<Name>): ReactNode {
  const { label, title, icon, look = 'quiet' } = props
  const [asking, setAsking] = useState(false)
  const { job, start } = useJob(props.operation, props.words)
  if (!useMay('operate')) return null
  if (job !== null) {
    return (
      <span className="progress" role="status">
        <span>{job.says === '' ? 'under way' : job.says}</span>
        <Meter share={job.share} />
      </span>
    )
  }
  return (
    <>
      <Button
        look={look}
        {...(icon && { icon })}
        disabled={props.disabled}
        aria-label={title}
        onClick={() => setAsking(true)}
      >
        {label}
      </Button>
      {asking && (
        <Confirm
          title={title}
          plan={props.plan}
          action={props.action}
          typed={props.typed}
          onConfirm={() => {
            setAsking(false)
            start(props.input)
          }}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  )
}
