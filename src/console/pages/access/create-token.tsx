import { useState, type ReactNode } from 'react'
import type { Operations } from '../../../contracts/index.ts'
import { useHouse } from '../../data/house.ts'
import { Button, ErrorNote, Section } from '../../parts/basics.tsx'

type Input = Operations['access.create-token']['input']
type Created = Operations['access.create-token']['output']

const namePattern = '[a-z][a-z0-9\\-]{0,38}'

function inputOf(form: FormData): Input {
  const days = Number(form.get('days'))
  return {
    name: form.get('name') as string,
    role: form.get('role') as NonNullable<Input['role']>,
    ...(days > 0 && { days }),
  }
}

/** Creates a token for a program and shows it, once. */
export function CreateToken(): ReactNode {
  const house = useHouse()
  const [created, setCreated] = useState<Created | null>(null)
  const [error, setError] = useState<unknown>()
  const create = async (form: FormData): Promise<void> => {
    try {
      setError(undefined)
      setCreated(await house.client.call('access.create-token', inputOf(form)))
      house.polls.refresh('access.')
    } catch (failure) {
      setError(failure)
    }
  }
  return (
    <Section title="New token">
      {created === null ? (
        <TokenForm create={create} />
      ) : (
        <Shown created={created} onDone={() => setCreated(null)} />
      )}
      {error !== undefined && <ErrorNote error={error} />}
    </Section>
  )
}

function TokenForm({ create }: { create: (form: FormData) => Promise<void> }): ReactNode {
  return (
    <form className="inline-form" action={create}>
      <label className="field">
        <span>Name</span>
        <input
          name="name"
          required
          pattern={namePattern}
          title="lower-case letters, digits and dashes"
          placeholder="ci"
          autoComplete="off"
        />
      </label>
      <label className="field">
        <span>May</span>
        <select name="role" defaultValue="view">
          <option>view</option>
          <option>operate</option>
          <option>administer</option>
        </select>
      </label>
      <label className="field">
        <span>Expires after</span>
        <select name="days" defaultValue="90">
          <option value="7">7 days</option>
          <option value="90">90 days</option>
          <option value="365">a year</option>
          <option value="0">never</option>
        </select>
      </label>
      <Button look="main" type="submit">
        Create token
      </Button>
    </form>
  )
}

function Shown({ created, onDone }: { created: Created; onDone: () => void }): ReactNode {
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(created.token)
    setCopied(true)
  }
  return (
    <div className="shown-once" role="status">
      <p>
        This is the token <b>{created.name}</b>. It is shown this once; Holdfast keeps only its hash.
      </p>
      <pre tabIndex={0}>
        <code>{created.token}</code>
      </pre>
      <div className="dialog-actions">
        <Button icon="copy" onClick={() => void copy()}>
          {copied ? 'Copied' : 'Copy'}
        </Button>
        <Button look="main" onClick={onDone}>
          I have stored it
        </Button>
      </div>
    </div>
  )
}
