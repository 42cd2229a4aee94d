import { expect, test } from 'vitest'
import { decidePruning, goingNext } from './decide-deploy.ts'

const kept = ['5', '4', '3', '2', '1']
const allGood = kept.toReversed()

test.each([
  { kept, most: 5, good: allGood, gone: [], next: ['1'] },
  { kept, most: 3, good: allGood, gone: ['2', '1'], next: ['3', '2', '1'] },
  { kept: ['2', '1'], most: 5, good: ['1', '2'], gone: [], next: [] },
  // What one would go back to stays, however many came to nothing after it.
  { kept, most: 2, good: ['1', '5'], gone: ['3', '2'], next: ['4', '3', '2', '1'] },
  { kept, most: 2, good: ['2', '1'], gone: ['3'], next: ['4', '3', '2'] },
])('of $kept $gone are too many now, $next with the next', ({ kept: names, most, good, gone, next }) => {
  const releases = { wished: good.at(-1) ?? '', good }
  expect(decidePruning({ kept: names, most, releases })).toEqual(gone)
  expect(goingNext({ kept: names, most, releases })).toEqual(next)
})
