import { edgeFacts } from '../../contracts/edge.ts'
import type { Fold } from '../../kernel/timeline/index.ts'
import { biteKey, flapsAfter, type Flaps, type OriginSaying } from './decide.ts'

/** What the timeline knows of the edge: what was said to begin and not yet to end. A type, so that it is JSON. */
export type EdgeView = {
  /** By `biteKey`: when it began to refuse, milliseconds since the epoch. */
  readonly bites: Readonly<Record<string, number>>
  /** By service: when it began to fail. */
  readonly failing: Readonly<Record<string, number>>
  /** By service: how it came and went lately. */
  readonly flaps: Flaps
  /** Hash of the rules that the edge took on last. */
  readonly rules: string
}

type Step = (state: EdgeView, data: Readonly<Record<string, unknown>>, at: number) => EdgeView

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

function without(record: Readonly<Record<string, number>>, key: string): Record<string, number> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => name !== key))
}

const keyOf = (data: Readonly<Record<string, unknown>>): string =>
  biteKey(textOf(data['limit']), textOf(data['rule']))

const flapsOf = (
  { flaps }: EdgeView,
  { what, data }: { readonly what: OriginSaying['what']; readonly data: Readonly<Record<string, unknown>> },
  at: number,
): Flaps => flapsAfter(flaps, { what, service: textOf(data['service']) }, at)

const steps: ReadonlyMap<string, Step> = new Map<string, Step>([
  [edgeFacts.policyAccepted.kind, (state, data) => ({ ...state, rules: textOf(data['rules']) })],
  [
    edgeFacts.limitBit.kind,
    (state, data, at) => ({ ...state, bites: { ...state.bites, [keyOf(data)]: at } }),
  ],
  [edgeFacts.limitEased.kind, (state, data) => ({ ...state, bites: without(state.bites, keyOf(data)) })],
  [
    edgeFacts.originFailed.kind,
    (state, data, at) => ({
      ...state,
      failing: { ...state.failing, [textOf(data['service'])]: at },
      flaps: flapsOf(state, { what: 'origin-failed', data }, at),
    }),
  ],
  [
    edgeFacts.originRecovered.kind,
    (state, data, at) => ({
      ...state,
      failing: without(state.failing, textOf(data['service'])),
      flaps: flapsOf(state, { what: 'origin-recovered', data }, at),
    }),
  ],
])

/** The fold of the edge. */
export const edgeFold: Fold<EdgeView> = {
  name: 'edge@2',
  initial: { bites: {}, failing: {}, flaps: {}, rules: '' },
  step: (state, fact) => steps.get(fact.kind)?.(state, fact.data ?? {}, fact.at) ?? state,
}
