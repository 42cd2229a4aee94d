import { describe, expect, test } from 'vitest'
import type { EnvironmentStatus } from '../../contracts/index.ts'
import { printScreen, type Screen } from './screen.ts'
import { createTerminal, type Terminal } from './terminal.ts'

const escape = '\u001B'

interface Shown {
  readonly terminal: Terminal
  readonly text: () => string
}

function show(isTTY: boolean, variables: NodeJS.ProcessEnv = {}, columns = 80): Shown {
  const parts: string[] = []
  const stream = { isTTY, columns, write: (part: string) => parts.push(part) }
  const terminal = createTerminal(stream as unknown as NodeJS.WriteStream, variables)
  return { terminal, text: () => parts.join('') }
}

const status: EnvironmentStatus = {
  name: 'arcade',
  version: '1',
  says: 'All 2 services are healthy',
  state: 'healthy',
  startedAt: 1,
  services: [],
  processes: [],
  notes: ['no memory limits: cgroups cannot be written'],
}

const screen: Screen = {
  status,
  edgeUrls: ['http://127.0.0.1:8080', 'https://[::1]:8443'],
  consoleUrl: 'http://127.0.0.1:8400/sign-in#token',
  dataDirectory: '/srv/arcade/.holdfast',
  command: 'bin/holdfast',
  locate: ' --data /srv/arcade/.holdfast',
}

describe('the terminal', () => {
  test('on anything but a terminal: plain lines, nothing drawn', () => {
    const { terminal, text } = show(false, { TERM: 'xterm' })
    terminal.doing('waiting for web 0/1')
    terminal.doing('waiting for web 0/1')
    terminal.done('all services are healthy')
    terminal.line(`${terminal.strong('strong')} ${terminal.dim('dim')}`)
    expect(text()).toBe('  ... waiting for web 0/1\n  ok  all services are healthy\nstrong dim\n')
  })

  test('a dumb terminal is none', () => {
    const { terminal, text } = show(true, { TERM: 'dumb' })
    terminal.doing('a')
    terminal.done('b')
    expect(text()).not.toContain(escape)
    expect(text()).not.toContain('\r')
  })

  test('with NO_COLOR it draws, but without colours', () => {
    const { terminal, text } = show(true, { NO_COLOR: '1' })
    terminal.doing('first')
    terminal.doing('second')
    terminal.done(terminal.strong('third'))
    expect(text()).toBe(`  … first\r${escape}[2K  … second\r${escape}[2K  ✓ third\n`)
  })

  test('an empty NO_COLOR does not count', () => {
    expect(show(true, { NO_COLOR: '' }).terminal.strong('x')).toBe(`${escape}[1mx${escape}[0m`)
  })

  test('what is drawn again fits on one line', () => {
    const { terminal, text } = show(true, { NO_COLOR: '1' }, 20)
    terminal.doing('x'.repeat(100))
    expect(text().length).toBeLessThan(20)
  })

  test('a line of its own does not leave half a line behind', () => {
    const { terminal, text } = show(true, { NO_COLOR: '1' })
    terminal.doing('pending')
    terminal.line('said')
    terminal.line('again')
    expect(text()).toBe(`  … pending\r${escape}[2Ksaid\nagain\n`)
  })
})

describe('the screen after the start', () => {
  test('says what runs, where to look and what to try, in plain lines', () => {
    const { terminal, text } = show(false)
    printScreen(terminal, screen)
    const lines = text().split('\n')
    expect(lines[1]).toBe('All 2 services are healthy.')
    for (const url of [...screen.edgeUrls, screen.consoleUrl, screen.dataDirectory])
      expect(text()).toContain(url)
    expect(text()).toContain('Note         no memory limits')
    expect(text()).toContain('curl -i http://127.0.0.1:8080/')
    expect(text()).toContain('bin/holdfast status --data /srv/arcade/.holdfast')
    expect(text()).toContain('bin/holdfast sign-in --data /srv/arcade/.holdfast')
    expect(text()).not.toContain(escape)
    expect(lines.length).toBeLessThan(24)
  })

  test('with colours it says the same', () => {
    const [plain, coloured] = [show(false), show(true)]
    printScreen(plain.terminal, screen)
    printScreen(coloured.terminal, screen)
    expect(coloured.text()).toContain(escape)
    expect(coloured.text().replaceAll(new RegExp(`${escape}\\[\\d+m`, 'g'), '')).toBe(plain.text())
  })
})
