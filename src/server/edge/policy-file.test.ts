import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { edge } from '../../capabilities/edge/index.ts'
import { openPolicyFile } from './policy-file.ts'

const policy = edge.compile(edge.config.parse({}), { environment: 'test', directory: '/', upstreams: [] })
/** No schema lets it pass: whoever gets it back did not ask one. */
const odd = { ...policy, oddity: true }

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'policy-file-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

test('what this version wrote is read without its schema', async () => {
  const file = openPolicyFile(directory, '1.0.0')
  expect(await file.read()).toBeNull()
  file.write(odd)
  expect(await file.read()).toEqual(odd)
})

test('what another version wrote is checked', async () => {
  openPolicyFile(directory, '1.0.0').write(odd)
  const later = openPolicyFile(directory, '1.0.1')
  await expect(later.read()).rejects.toMatchObject({ code: 'edge.policy-unreadable' })
  later.write(policy)
  expect(await openPolicyFile(directory, '1.0.0').read()).toEqual(policy)
})

test('what somebody changed since is checked', async () => {
  const file = openPolicyFile(directory, '1.0.0')
  file.write(policy)
  const path = join(directory, 'edge', 'policy.json')
  writeFileSync(path, readFileSync(path, 'utf8').replace('"test"', '17'))
  await expect(file.read()).rejects.toMatchObject({
    code: 'edge.policy-unreadable',
    message: expect.stringContaining('environment') as string,
  })
})
