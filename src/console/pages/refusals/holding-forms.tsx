import type { ReactNode } from 'react'
import type { Change } from '../../data/changes.ts'
import { Button } from '../../parts/basics.tsx'
import { Dialog } from '../../parts/dialog.tsx'

const subjectPattern = '[a-z][a-z0-9:\\-]{0,63}:\\S.*'
const times = ['10min', '1h', '1d', '7d', '30d'] as const

function valueOf(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value.trim() : ''
}

function Text(props: {
  readonly name: string
  readonly label: string
  readonly placeholder: string
  readonly pattern?: string
  readonly least?: number
}): ReactNode {
  return (
    <label className="field">
      <span>{props.label}</span>
      <input
        name={props.name}
        required
        pattern={props.pattern}
        minLength={props.least ?? 1}
        placeholder={props.placeholder}
        autoComplete="off"
        spellCheck={false}
      />
    </label>
  )
}

function HowLong(): ReactNode {
  return (
    <label className="field">
      <span>For</span>
      <select name="for" defaultValue="1h">
        {times.map((time) => (
          <option key={time}>{time}</option>
        ))}
      </select>
    </label>
  )
}

const Because = (): ReactNode => (
  <Text name="because" label="Because" placeholder="why, for later" least={3} />
)

/** Bans a subject. */
export function BanForm({ change }: { change: Change }): ReactNode {
  const ban = async (form: FormData): Promise<void> => {
    const subject = valueOf(form, 'subject')
    const input = { subject, for: valueOf(form, 'for'), because: valueOf(form, 'because') }
    await change('limits.ban', input, `${subject} is banned.`)
  }
  return (
    <form className="inline-form" action={ban} aria-label="Ban a subject">
      <Text name="subject" label="Subject" placeholder="user:42" pattern={subjectPattern} />
      <HowLong />
      <Because />
      <Button look="main" type="submit">
        Ban
      </Button>
    </form>
  )
}

/** Gives a subject another rule. */
export function OverrideForm({ change }: { change: Change }): ReactNode {
  const override = async (form: FormData): Promise<void> => {
    const [subject, limit] = [valueOf(form, 'subject'), valueOf(form, 'limit')]
    const input = {
      limit,
      subject,
      rule: valueOf(form, 'rule'),
      for: valueOf(form, 'for'),
      because: valueOf(form, 'because'),
    }
    await change('limits.override', input, `${limit} is another for ${subject} now.`)
  }
  return (
    <form className="inline-form" action={override} aria-label="Override a limit">
      <Text name="limit" label="Limit" placeholder="chat.message" />
      <Text name="subject" label="Subject" placeholder="user:42" pattern={subjectPattern} />
      <Text name="rule" label="Rule" placeholder="50/10s per user" />
      <HowLong />
      <Because />
      <Button look="main" type="submit">
        Override
      </Button>
    </form>
  )
}

/** Asks why, before something is lifted. */
export function ReasonDialog(props: {
  readonly title: string
  readonly onDone: (because: string) => void
  readonly onClose: () => void
}): ReactNode {
  return (
    <Dialog label={props.title} onClose={props.onClose}>
      <form action={(form: FormData) => props.onDone(valueOf(form, 'because'))}>
        <h2>{props.title}</h2>
        <Because />
        <div className="dialog-actions">
          <Button onClick={props.onClose}>Leave it</Button>
          <Button look="main" type="submit">
            Lift
          </Button>
        </div>
      </form>
    </Dialog>
  )
}
