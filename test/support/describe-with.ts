import { describe, expect, test } from 'vitest'
import { findProgram, isOptional } from './programs.ts'

/**
 * A group of tests that needs programs, which get their paths by name. Where one is missing they are skipped and say
 * so by name; with CI=true that is a failure, but for programs that are optional.
 */
export function describeWith<Name extends string>(
  names: readonly Name[],
  title: string,
  body: (paths: Readonly<Record<Name, string>>) => void,
): void {
  const paths = Object.fromEntries(names.map((name) => [name, findProgram(name) ?? ''])) as Record<
    Name,
    string
  >
  const missing = names.filter((name) => paths[name] === '')
  const says = missing.length === 0 ? title : `${title} (needs ${missing.join(', ')})`
  const mustRun = process.env['CI'] === 'true' && !missing.some((name) => isOptional(name))
  // oxlint-disable-next-line vitest/valid-title -- the title comes from the caller
  describe.skipIf(missing.length > 0 && !mustRun)(says, () => {
    if (missing.length === 0) body(paths)
    else {
      test('has its programs', () => expect(missing).toEqual([]))
    }
  })
}
