import { createLimits } from 'holdfast-limit'
import { Refusal } from './http.ts'
import { rules } from './rules.ts'

/** The limits of this process. Holdfast tells its replicas where it is; without it each process counts for itself. */
export function openLimits() {
  const { HOLDFAST_URL: url = '', HOLDFAST_TOKEN: token = '' } = process.env
  return createLimits(rules, url === '' ? {} : { control: { url, token }, processes: 2 })
}

/** The limits of the game. */
export type GameLimits = ReturnType<typeof openLimits>

/** What a limit said. */
type Verdict = Awaited<ReturnType<GameLimits['take']>>

/** Turns a refusal into the answer to the request that was refused. */
export function orRefuse<Answered extends Verdict>(verdict: Answered): Answered {
  if (verdict.admitted) return verdict
  throw new Refusal(429, verdict.because, { 'retry-after': String(secondsUntil(verdict)) })
}

/** Whole seconds after which the same may be tried again. */
export function secondsUntil({ retryAfterMs }: Verdict): number {
  return Math.ceil(Math.min(retryAfterMs, 86_400_000) / 1000)
}
