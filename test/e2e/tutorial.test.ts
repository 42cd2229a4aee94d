import { expect, test } from 'vitest'
import { describeWith } from '../support/describe-with.ts'
import { followPage } from '../support/followed-page.ts'

describeWith(['python3', 'curl'], 'pages that are done word by word', () => {
  test.each([
    ['docs/tutorial.md', 12],
    ['docs/guides/deploying.md', 16],
  ])('%s is true', { timeout: 300_000 }, async (path, atLeast) => {
    expect((await followPage(path)).length).toBeGreaterThanOrEqual(atLeast)
  })
})
