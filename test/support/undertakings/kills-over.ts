import type { Random } from '../../../src/kernel/std/index.ts'
import type { KillWhen, Victim } from './killer.ts'

/** Whom to kill, and when. */
export type Kill = Omit<KillWhen, 'journal' | 'since'>

/** What tests that kill at random instants say, so that they can be run again alike. */
export const faultySeed = Number(process.env['HOLDFAST_SEED'] ?? 20_261_126)

const victims: readonly Victim[] = ['control', 'edge', 'supervisor']
const randomKills = 4
const longestMs = 2500

function atFact(facts: number): readonly Kill[] {
  const at = (victim: Victim): Kill => ({ victim, facts })
  return [
    at('control'),
    ...(facts % 4 === 2 ? [at('edge')] : []),
    ...(facts % 6 === 1 ? [at('supervisor')] : []),
  ]
}

/** Kills over an undertaking of so many facts: control at each, edge and supervisor at some, anybody at random instants. */
export function killsOver(facts: number, random: Random): readonly Kill[] {
  const anywhere = (): Kill => ({
    victim: victims[Math.floor(random.next() * victims.length)] ?? 'control',
    facts: 0,
    afterMs: random.next() * longestMs,
  })
  return [
    ...Array.from({ length: facts }, (_, index) => atFact(index + 1)).flat(),
    ...Array.from({ length: randomKills }, anywhere),
  ]
}
