import { useState, type ReactNode } from 'react'
import type { Operations } from '../../../contracts/index.ts'
import { useHouse, useNow, usePoll } from '../../data/house.ts'
import { mayDo, type Session } from '../../data/session.ts'
import { useStore } from '../../data/store.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Button, Empty, ErrorNote, Section } from '../../parts/basics.tsx'
import { Confirm } from '../../parts/dialog.tsx'
import { Table, type Column } from '../../parts/table.tsx'
import { placeOf } from '../../router/router.ts'
import { sayAgo, sayMoment } from '../../words/format.ts'
import { CreateToken } from './create-token.tsx'
import { People } from './people.tsx'

type Token = Operations['access.list-tokens']['output']['tokens'][number]

const mayWords = {
  use: 'take from limits of applications and see nothing',
  view: 'look at everything and change nothing',
  operate: 'look at everything and operate the services',
  administer: 'do everything, also decide who may come in',
} as const

/** Who am I, what may I do, who else is there, and which programs may come in? */
export function AccessPage(): ReactNode {
  const house = useHouse()
  const session = useStore(house.session.store)
  if (session.state !== 'in') return null
  const leave = async (): Promise<void> => {
    try {
      await house.session.leave()
    } catch (error) {
      house.announce({ tone: 'bad', text: `You are still signed in: ${(error as Error).message}` })
    }
  }
  return (
    <>
      <PageHead
        title="Access"
        answer={[{ text: `You are ${session.actor} and may ${mayWords[session.role]}.` }]}
        actions={<Button onClick={() => void leave()}>Sign out</Button>}
      />
      <People />
      {mayDo(session.role, 'administer') ? <Tokens /> : <NotForYou session={session} />}
    </>
  )
}

function NotForYou({ session }: { session: Session & { state: 'in' } }): ReactNode {
  return (
    <Section title="Tokens">
      <Empty
        says={`Tokens are for those who may administer; you may ${session.role}. Somebody who may can raise your role in the environment file.`}
      />
    </Section>
  )
}

function Tokens(): ReactNode {
  const house = useHouse()
  const now = useNow(60_000)
  const tokens = usePoll('access.list-tokens', {}, { periodMs: 10_000 })
  const [revoking, setRevoking] = useState<string | null>(null)
  const revoke = async (name: string): Promise<void> => {
    setRevoking(null)
    try {
      await house.client.call('access.revoke-token', { name })
      const href = placeOf(['timeline'], { kind: 'access.token-revoked' })
      house.announce({ tone: 'good', href, text: `Token ${name} was revoked.` })
    } catch (error) {
      house.announce({ tone: 'bad', text: `Token ${name} was not revoked: ${(error as Error).message}` })
    }
    house.polls.refresh('access.')
  }
  const held = tokens.data?.tokens
  return (
    <>
      <Section title="Tokens for programs">
        {tokens.error !== undefined && held === undefined && <ErrorNote error={tokens.error} />}
        {held?.length === 0 && (
          <Empty says="No program has a token yet." command="holdfast tokens create <name>" />
        )}
        {held !== undefined && held.length > 0 && (
          <Table label="Tokens" columns={columns(now, setRevoking)} rows={held} rowKey={({ name }) => name} />
        )}
      </Section>
      <CreateToken />
      {revoking !== null && (
        <Confirm
          title={`Revoke the token ${revoking}`}
          plan={[
            'Programs that use it are refused from this moment on.',
            'It cannot be brought back; a new token can be made.',
          ]}
          action="Revoke"
          typed={[revoking]}
          onConfirm={() => void revoke(revoking)}
          onClose={() => setRevoking(null)}
        />
      )}
    </>
  )
}

const columns = (now: number, revoke: (name: string) => void): readonly Column<Token>[] => [
  { key: 'name', label: 'token', cell: ({ name }) => <span className="code">{name}</span> },
  { key: 'role', label: 'may', cell: ({ role }) => role },
  {
    key: 'created',
    label: 'created',
    number: true,
    cell: ({ createdAt }) => <time title={sayMoment(createdAt)}>{sayAgo(createdAt, now)}</time>,
  },
  {
    key: 'expires',
    label: 'expires',
    number: true,
    cell: ({ expiresAt }) => (expiresAt === null ? 'never' : sayMoment(expiresAt).slice(0, 10)),
  },
  {
    key: 'revoke',
    label: 'revoke',
    plain: true,
    actions: true,
    cell: ({ name }) => (
      <Button onClick={() => revoke(name)} aria-label={`Revoke ${name}`}>
        Revoke
      </Button>
    ),
  },
]
