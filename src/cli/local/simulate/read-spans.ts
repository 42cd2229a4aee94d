import { edgeOperations, type TrafficSpan } from '../../../contracts/edge.ts'
import type { Door } from '../../control/index.ts'

/** What the edge recorded of its requests since a time, oldest first. Errors: those of asking control. */
export async function* readSpans(door: Door, since: number): AsyncGenerator<TrafficSpan> {
  const { name, output } = edgeOperations.senders
  for (let next: number | null = since; next !== null;) {
    const answer = output.parse(await door.call(name, { since: next }))
    yield* answer.spans
    next = answer.next
  }
}
