import type { ReactNode } from 'react'
import { useNow } from '../../data/house.ts'
import { PageHead } from '../../parts/answer.tsx'
import { Section } from '../../parts/basics.tsx'
import { Happened } from '../../parts/facts.tsx'
import { Known, type KnownLine } from '../../parts/known.tsx'
import { listOf, sayDestroy, type VolumeView } from '../../words/data.ts'
import { sayAgo, sayBytes, sayMoment } from '../../words/format.ts'
import { Users } from './users.tsx'

/** How is this volume: where it is, how much is in it, who uses it, what happened to it. */
export function VolumePage({ volume, trail }: { volume: VolumeView; trail: ReactNode }): ReactNode {
  const now = useNow(10_000)
  return (
    <>
      <PageHead
        title={volume.name}
        trail={trail}
        state={volume.named ? 'good' : 'note'}
        answer={[{ text: answerOf(volume) }]}
      />
      <Section title="What is known of it">
        <Known lines={linesOf(volume, now)} />
      </Section>
      <Happened subject={`volume:${volume.name}`} />
    </>
  )
}

function answerOf({ named, usedBy, sizeBytes }: VolumeView): string {
  const holds = sizeBytes === null ? 'How much it holds is not known' : `It holds ${sayBytes(sizeBytes)}`
  if (!named) return `${holds}; it was left over, and no service finds it.`
  if (usedBy.length === 0) return `${holds}; no service uses it.`
  return `${holds}; ${listOf(usedBy)} ${usedBy.length === 1 ? 'uses' : 'use'} it.`
}

const variableOf = (volume: string): string => `VOLUME_${volume.toUpperCase().replaceAll('-', '_')}`

function linesOf(volume: VolumeView, now: number): readonly KnownLine[] {
  const { name, place, named, exclusive, usedBy, sizeBytes, since } = volume
  const made =
    since === null ? 'not yet, or not on this machine' : `${sayMoment(since)}, ${sayAgo(since, now)}`
  const shared = (exclusive ?? false) ? 'one replica has it at a time' : 'replicas share it'
  return [
    ['At', <code key="at">{place}</code>],
    [
      'Size',
      sizeBytes === null
        ? 'not known: its files may not be looked at, or are too many to count'
        : sayBytes(sizeBytes),
    ],
    ['Used by', <Users key="users" objects={usedBy.map((service) => `service ${service}`)} />],
    ...(named ? [['Services find it in', <code key="variable">{variableOf(name)}</code>] as const] : []),
    ...(named ? [['Sharing', shared] as const] : []),
    ['Made', made],
    ['To remove it', <Removal key="removal" volume={volume} />],
  ]
}

function Removal({ volume: { name, named } }: { volume: VolumeView }): ReactNode {
  const apply = <code>{sayDestroy(`volume ${name}`)}</code>
  if (named) return <>take it out of the file, then {apply}</>
  return <>name it under “volumes” in the file again and apply that; then take it out, and {apply}</>
}
