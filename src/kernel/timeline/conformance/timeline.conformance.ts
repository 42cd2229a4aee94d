import { describe } from 'vitest'
import { appendingConformance } from './appending.conformance.ts'
import { chainConformance } from './chain.conformance.ts'
import type { Subject } from './facts.ts'
import { retentionConformance } from './retention.conformance.ts'
import { searchingConformance } from './searching.conformance.ts'

/** The suite that every implementation of `Timeline` passes. */
export function timelineConformance(subject: Subject): void {
  describe(`a timeline (${subject.name})`, () => {
    appendingConformance(subject)
    searchingConformance(subject)
    chainConformance(subject)
    retentionConformance(subject)
  })
}
