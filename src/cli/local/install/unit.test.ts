import { expect, test } from 'vitest'
import { readUnit, unitText } from './unit.ts'

const parts = {
  environment: 'arcade',
  program: ['/opt/holdfast/node_modules/.bin/node', '/opt/holdfast/src/cli/main.ts'],
  config: '/srv/arcade/holdfast.config.ts',
  data: '/srv/arcade/.holdfast',
  directory: '/srv/arcade',
  searchPath: '/usr/local/bin:/usr/bin',
  variablesFile: '/etc/holdfast/arcade.env',
  stopTimeoutMs: 10_000,
}

test('runs up by absolute paths, so that systemd can stop it', () => {
  expect(unitText(parts)).toContain(
    'ExecStart=/opt/holdfast/node_modules/.bin/node /opt/holdfast/src/cli/main.ts up --attach ' +
      '--config /srv/arcade/holdfast.config.ts --data /srv/arcade/.holdfast\n',
  )
  expect(unitText(parts)).toContain('TimeoutStopSec=30\n')
})

test('what systemd would replace or split is quoted', () => {
  const data = '/srv/50% off/$HOME "x"/.holdfast'
  const text = unitText({ ...parts, data, directory: '/srv/50% off' })
  expect(text).toContain(String.raw`--data "/srv/50%% off/$$HOME \"x\"/.holdfast"`)
  expect(text).toContain('WorkingDirectory=/srv/50%% off\n')
  expect(readUnit(text)).toEqual({ environment: 'arcade', config: parts.config, data })
})

test.each(['', '[Unit]\nDescription=other', '# holdfast: {"environment":1}', '# holdfast: no json'])(
  'a unit of somebody else is none of ours: %j',
  (text) => expect(readUnit(text)).toBeUndefined(),
)
