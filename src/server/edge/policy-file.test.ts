import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { edge } from '../../capabilities/edge/index.ts'
import { openPolicyFile } from './policy-file.ts'

const policy = edge.compile(edge.config.parse({}), { environment: 'test', directory: '/', upstreams: [] })
/** No schema gives it back whole: whoever gets it did not ask one. */
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

test('what another version wrote is checked, and keys that it alone knows are passed over', async () => {
  const [one, other] = [openPolicyFile(directory, '1.0.0'), openPolicyFile(directory, '1.0.1')]
  one.write({ ...odd, upstreams: [], listeners: odd.listeners.map((each) => ({ ...each, oddity: 1 })) })
  expect(await other.read()).toEqual({
    ...policy,
    revision: expect.not.stringMatching(policy.revision) as string,
  })
  one.write({ ...policy, environment: 17 } as unknown as typeof policy)
  await expect(other.read()).rejects.toMatchObject({ code: 'edge.policy-unreadable' })
  other.write(policy)
  expect(await one.read()).toMatchObject({ environment: policy.environment })
})

test('what somebody changed by hand is served on, but not taken for what control sent', async () => {
  const file = openPolicyFile(directory, '1.0.0')
  expect(file.look()).toBeNull()
  file.write(policy)
  const path = join(directory, 'edge', 'policy.json')
  const changed = readFileSync(path, 'utf8').replace('"maxConnections":', '"maxConnections":1')
  writeFileSync(path, changed)
  const read = await file.read()
  expect(read?.maxConnections).not.toBe(policy.maxConnections)
  expect(read?.revision).not.toBe(policy.revision)
  expect(file.look()).toEqual({
    policy: JSON.parse(changed) as object,
    modifiedAt: expect.any(Number) as number,
  })
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
