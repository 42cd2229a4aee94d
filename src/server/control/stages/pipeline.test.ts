import { describe, expect, test } from 'vitest'
import type { Job } from '../../../contracts/index.ts'
import { virtualClock, type OperationDeclaration } from '../../../kernel/std/index.ts'
import { testOperations } from '../../../../test/support/control/operations.ts'
import type { Announcement } from './announce.ts'
import type { CallRequest, Refusal, Visitor } from './call.ts'
import { passStages, type StageGround } from './pipeline.ts'

interface World {
  readonly ground: StageGround
  readonly trace: string[]
  readonly recorded: { readonly data: { readonly outcome: string; readonly input: unknown } }[]
  readonly announced: Announcement[]
}

interface Twists {
  readonly permission?: Visitor['caller']['permission']
  readonly refusal?: Refusal
  readonly act?: () => unknown
  readonly announce?: () => Promise<void>
  readonly refusalsLeft?: boolean
}

const visitorWith = (permission: Visitor['caller']['permission']): Visitor => ({
  caller: { actor: permission === 'public' ? 'anonymous' : 'person:kim', permission },
  address: '192.0.2.1',
  sessionHash: null,
})

function traced<T>(trace: string[], name: string, schema: { parse(value: unknown): T }): typeof schema {
  return {
    parse: (value) => {
      trace.push(name)
      return schema.parse(value)
    },
  }
}

function world(operation: OperationDeclaration, twists: Twists = {}): World {
  const trace: string[] = []
  const recorded: World['recorded'] = []
  const announced: Announcement[] = []
  const declaration = { ...operation, input: traced(trace, 'validate', operation.input) }
  const clock = virtualClock()
  const ground: StageGround = {
    clock,
    log: { info: () => undefined, warn: () => trace.push('warned'), error: () => trace.push('error') },
    announcer: {
      announce: async (announcement) => {
        trace.push('announce')
        announced.push(announcement)
        await twists.announce?.()
      },
    },
    limits: {
      take: () => {
        trace.push('limit')
        return twists.refusal ?? null
      },
      takeDoor: () =>
        twists.refusalsLeft === false ? { limit: 'refusals', rule: '', retryAfterMs: 1 } : null,
    },
    find: () => ({
      declaration,
      act: () => {
        trace.push('act')
        return (twists.act?.() ?? Promise.resolve({ changed: 'it' })) as Promise<unknown>
      },
    }),
    authenticate: () => {
      trace.push('authenticate')
      const visitor = visitorWith(twists.permission ?? 'operate')
      // Reading the caller's permission is what authorising is.
      return {
        ...visitor,
        caller: {
          actor: visitor.caller.actor,
          get permission() {
            trace.push('authorise')
            return visitor.caller.permission
          },
        },
      }
    },
    requestJob: () => {
      trace.push('request job')
      return Promise.resolve({ id: 'job-1' } as Job)
    },
    record: (_, data) => {
      trace.push('record')
      recorded.push({ data: data as never })
      return Promise.resolve()
    },
    newId: () => 'call-1',
    openStream: () => () => trace.push('left'),
  }
  return { ground, trace, recorded, announced }
}

const change = testOperations.change as unknown as OperationDeclaration
const request = (input: unknown): CallRequest => ({
  operation: 'test.change',
  input,
  credentials: { bearer: null, session: null, address: '192.0.2.1' },
  signal: new AbortController().signal,
})

const once = (trace: readonly string[]): readonly string[] => [...new Set(trace)]

describe('the stages', () => {
  test('come in their fixed order', async () => {
    const { ground, trace } = world(change)
    await passStages(ground, request({ what: 'it' }))
    expect(once(trace)).toEqual([
      'authenticate',
      'validate',
      'authorise',
      'limit',
      'announce',
      'act',
      'record',
    ])
  })

  test('input that does not fit ends at validation and names the field', async () => {
    const { ground, trace } = world(change)
    await expect(passStages(ground, request({ what: 7 }))).rejects.toMatchObject({
      code: 'operations.invalid-input',
      kind: 'user',
      path: 'what',
    })
    expect(trace).toEqual(['authenticate', 'validate'])
  })

  test('an unknown field is named', async () => {
    const { ground } = world(change)
    await expect(passStages(ground, request({ what: 'it', whta: 1 }))).rejects.toMatchObject({ path: 'whta' })
  })

  test('a role that is too low ends before the limit, and leaves a fact', async () => {
    const { ground, trace, recorded } = world(change, { permission: 'view' })
    await expect(passStages(ground, request({ what: 'it' }))).rejects.toMatchObject({ code: 'access.denied' })
    expect(once(trace)).toEqual(['authenticate', 'validate', 'authorise', 'record'])
    expect(recorded[0]?.data.outcome).toBe('access.denied')
  })

  test('nobody is asked to sign in', async () => {
    const { ground } = world(change, { permission: 'public' })
    await expect(passStages(ground, request({ what: 'it' }))).rejects.toMatchObject({
      code: 'access.unauthenticated',
    })
  })

  test('refusals beyond the bound leave no fact', async () => {
    const { ground, recorded } = world(change, { permission: 'view', refusalsLeft: false })
    await expect(passStages(ground, request({ what: 'it' }))).rejects.toMatchObject({ code: 'access.denied' })
    expect(recorded).toEqual([])
  })

  test('a refusal by the limit is an answer, and nothing acts', async () => {
    const refusal = { limit: 'operations.test.change', rule: '5/min per caller', retryAfterMs: 900 }
    const { ground, trace } = world(change, { refusal })
    expect(await passStages(ground, request({ what: 'it' }))).toEqual({ kind: 'refused', refusal })
    expect(trace).not.toContain('act')
    expect(trace).not.toContain('record')
  })

  test('what fails is recorded with its code and thrown', async () => {
    const { ground, recorded } = world(change, { act: () => Promise.reject(new Error('no')) })
    await expect(passStages(ground, request({ what: 'it' }))).rejects.toThrow('no')
    expect(recorded.map(({ data }) => data.outcome)).toEqual(['kernel.unexpected'])
  })

  test('neither fact nor announcement holds a sensitive field', async () => {
    const { ground, recorded, announced } = world(change)
    await passStages(ground, request({ what: 'it', password: 'hunter2' }))
    expect(recorded[0]?.data.input).toEqual({ what: 'it' })
    expect(announced[0]?.input).toEqual({ what: 'it' })
  })

  test('a channel that fails keeps nobody from acting', async () => {
    const { ground, trace } = world(change, { announce: () => Promise.reject(new Error('offline')) })
    expect(await passStages(ground, request({ what: 'it' }))).toMatchObject({ kind: 'value' })
    expect(trace).toContain('warned')
  })

  test('a channel that hangs is waited for three seconds', async () => {
    const { ground } = world(change, { announce: () => new Promise(() => undefined) })
    const answer = passStages(ground, request({ what: 'it' }))
    await (ground.clock as ReturnType<typeof virtualClock>).advance(3001)
    expect(await answer).toMatchObject({ kind: 'value' })
  })

  test('what only looks is neither announced nor recorded', async () => {
    const echo = testOperations.echo as unknown as OperationDeclaration
    const { ground, trace } = world(echo, { act: () => Promise.resolve({ text: 'it' }) })
    await passStages(ground, request({ text: 'it' }))
    expect(once(trace)).toEqual(['authenticate', 'validate', 'authorise', 'limit', 'act'])
  })

  test('an answer that is not as declared does not leave the house', async () => {
    const { ground } = world(change, { act: () => Promise.resolve({ changed: 'it', secret: 'x' }) })
    await expect(passStages(ground, request({ what: 'it' }))).rejects.toMatchObject({
      code: 'operations.invalid-output',
      kind: 'bug',
    })
  })

  test('a job is requested and recorded as such', async () => {
    const { ground, trace, recorded } = world(testOperations.work)
    expect(await passStages(ground, request({ what: 'it' }))).toEqual({ kind: 'job', job: { id: 'job-1' } })
    expect(trace).not.toContain('act')
    expect(recorded[0]?.data.outcome).toBe('requested')
  })

  test('a stream gives its place back when it is left early', async () => {
    const ended: string[] = []
    const endless = async function* (): AsyncGenerator<unknown> {
      try {
        for (let number = 1; ; number++) yield { number, padding: '' }
      } finally {
        ended.push('ended')
      }
    }
    const count = testOperations.count as unknown as OperationDeclaration
    const { ground, trace } = world(count, { act: endless })
    const answer = await passStages(ground, request({ to: 9 }))
    if (answer.kind !== 'stream') throw new Error('no stream')
    for await (const item of answer.items) {
      expect(item).toEqual({ number: 1, padding: '' })
      break
    }
    expect(ended).toEqual(['ended'])
    expect(trace).toContain('left')
  })
})
