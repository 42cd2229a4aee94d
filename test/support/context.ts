import type { Call, Capability, Context, JobCall } from '../../src/kernel/capability/index.ts'
import { seededRandom } from '../../src/kernel/std/index.ts'
import { factFrom, startView } from '../../src/kernel/timeline/index.ts'

/** What a capability is given that stands alone, without a house: nothing is logged, and there is nobody to call. */
export function contextOf(ground: Pick<Context, 'timeline' | 'series' | 'clock'>): Context {
  const { timeline } = ground
  return {
    ...ground,
    random: seededRandom(1),
    log: { info: () => undefined, warn: () => undefined, error: () => undefined },
    record: async (declaration, data, extras = {}) => {
      const [fact] = await timeline.append([factFrom(declaration, data, extras)])
      if (fact === undefined) throw new Error('nothing was appended')
      return fact
    },
    call: () => Promise.reject(new Error('there is nobody to call')),
    view: (fold) => startView(timeline, fold),
  }
}

/** Asks a capability for the value of one of its operations, past the stages of a house. */
export async function ask(
  capability: Capability,
  name: string,
  input: object = {},
): Promise<Record<string, unknown>> {
  const binding = capability.operations.find(({ declaration }) => declaration.name === name)
  if (binding === undefined) throw new Error(`nothing is bound to ${name}`)
  const call: Call = {
    caller: { actor: 'test', permission: 'view' },
    signal: AbortSignal.timeout(1000),
    correlation: 'c',
  }
  return await (binding.act(input as never, call as JobCall) as Promise<Record<string, unknown>>)
}
