import { timelineFacts, timelineOperations } from '../../../contracts/index.ts'
import {
  bindJob,
  bindStream,
  bindValue,
  type Call,
  type Context,
  type JobCall,
  type OperationBinding,
} from '../../../kernel/capability/index.ts'
import { HoldfastError, type InputOf, type OutputOf } from '../../../kernel/std/index.ts'
import type { Fact, FactQuery, Head } from '../../../kernel/timeline/index.ts'

type ToldFact = OutputOf<typeof timelineOperations.follow>
type Filters = Pick<
  InputOf<typeof timelineOperations.follow>,
  'kind' | 'subject' | 'severity' | 'correlation'
>

function toQuery({ kind, subject, severity, correlation }: Filters): FactQuery {
  return {
    ...(kind === undefined ? {} : { kinds: [kind] }),
    ...(subject === undefined ? {} : { subject }),
    ...(severity === undefined ? {} : { minimumSeverity: severity }),
    ...(correlation === undefined ? {} : { correlation }),
  }
}

function toldBy(says: (fact: Fact) => string): (fact: Fact) => ToldFact {
  return (fact) => {
    const { sequence, id, at, kind, severity, subject, actor, correlation, data, hash } = fact
    const told = { sequence, id, at, kind, severity, subject, actor, correlation, data, hash }
    return { ...told, says: says(fact) } as ToldFact
  }
}

async function read(
  context: Context,
  input: InputOf<typeof timelineOperations.read>,
): Promise<readonly Fact[]> {
  const { since, until, before, limit } = input
  const newest = await context.timeline.read({
    ...toQuery(input),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    ...(before === undefined ? {} : { before }),
    limit,
    order: 'newest',
  })
  return newest.toReversed()
}

/** An anchor as a person keeps it: `<sequence>:<hash>`. */
function parseAnchor(text: string): Head {
  const match = /^(\d{1,15}):([0-9a-f]{64})$/.exec(text.trim())
  if (match?.[1] !== undefined && match[2] !== undefined) {
    return { sequence: Number(match[1]), hash: match[2], at: 0 }
  }
  throw new HoldfastError({
    code: 'operations.invalid-input',
    kind: 'user',
    message: '"anchor" of timeline.verify is not an anchor',
    hint: 'write it as "holdfast timeline head" shows it: <sequence>:<hash>',
    path: 'anchor',
  })
}

async function verify(
  context: Context,
  input: InputOf<typeof timelineOperations.verify>,
  call: JobCall,
): Promise<OutputOf<typeof timelineOperations.verify>> {
  const onProgress = (share: number): void => call.progress(share, 'walking the chain')
  const { checked, head, broken } = await context.timeline.verify({
    onProgress,
    ...(input.anchor === undefined ? {} : { anchor: parseAnchor(input.anchor) }),
  })
  call.signal.throwIfAborted()
  return {
    checked,
    head: head === null ? null : { sequence: head.sequence, hash: head.hash, at: head.at },
    broken: broken === null ? null : { sequence: broken.sequence, why: broken.why },
  }
}

/** What is folded into who may come in must not change its meaning by being read again. */
function refuseAccessFacts(kind: string): void {
  if (!kind.startsWith('access.')) return
  throw new HoldfastError({
    code: 'timeline.not-erasable',
    kind: 'user',
    message: `a fact of the kind ${kind} cannot be erased: it decides who may come in`,
    hint: 'it holds no more than a name and a hash, and goes by itself when it is older than the retention',
    path: 'sequence',
  })
}

async function erase(
  context: Context,
  input: InputOf<typeof timelineOperations.erase>,
  call: Call,
): Promise<{ erased: boolean }> {
  const { sequence, because } = input
  const [found] = await context.timeline.read({ after: sequence - 1, before: sequence + 1, limit: 1 })
  if (found === undefined) return { erased: false }
  refuseAccessFacts(found.kind)
  const erased = await context.timeline.erase(sequence)
  const extras = { actor: call.caller.actor, correlation: call.correlation }
  if (erased) await context.record(timelineFacts.erased, { sequence, because }, extras)
  return { erased }
}

async function* exported(context: Context): AsyncGenerator<{ line: string }> {
  for await (const line of context.timeline.exportLines()) yield { line }
}

async function* follow(
  context: Context,
  input: InputOf<typeof timelineOperations.follow>,
  tell: { readonly toTold: (fact: Fact) => ToldFact; readonly signal: AbortSignal },
): AsyncGenerator<ToldFact> {
  const after = input.after === undefined ? {} : { after: input.after }
  for await (const fact of context.timeline.follow({ ...toQuery(input), ...after }, tell.signal)) {
    yield tell.toTold(fact)
  }
}

/** Binds the operations on the timeline. */
export function bindTimeline(context: Context, says: (fact: Fact) => string): readonly OperationBinding[] {
  const toTold = toldBy(says)
  return [
    bindValue(timelineOperations.read, async (input) => ({
      facts: (await read(context, input)).map(toTold),
    })),
    bindStream(timelineOperations.follow, (input, { signal }) => follow(context, input, { toTold, signal })),
    bindValue(timelineOperations.head, async () => ({ head: await context.timeline.head() })),
    bindJob(timelineOperations.verify, (input, call) => verify(context, input, call)),
    bindStream(timelineOperations.export, () => exported(context)),
    bindValue(timelineOperations.erase, (input, call) => erase(context, input, call)),
  ]
}
