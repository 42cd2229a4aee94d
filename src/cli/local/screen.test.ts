import { afterEach, describe, expect, test, vi } from 'vitest'
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
  says: 'Both services are healthy',
  state: 'healthy',
  startedAt: 1,
  services: [],
  processes: [],
  notes: ['no memory limits: cgroups cannot be written'],
}

const screen: Screen = {
  status,
  edgeUrls: ['http://127.0.0.1:8080', 'https://[::1]:8443'],
  consoleUrl: 'http://127.0.0.1:8400/#sign-in=token',
  dataDirectory: '/srv/arcade/.holdfast',
  command: 'bin/holdfast',
  locate: ' --data /srv/arcade/.holdfast',
}

afterEach(() => vi.useRealTimers())

describe('the terminal', () => {
  test('counts the seconds of what takes long, through its changes, and starts anew after it', () => {
    vi.useFakeTimers()
    const { terminal, text } = show(true, { NO_COLOR: '1' })
    const shown = (): string => text().split(`\r${escape}[2K`).at(-1) ?? ''
    terminal.doing('waiting for web 0/2')
    expect(shown()).toBe('  … waiting for web 0/2')
    vi.advanceTimersByTime(2000)
    expect(shown()).toBe('  … waiting for web 0/2, 2 s')
    terminal.doing('waiting for web 1/2')
    expect(shown()).toBe('  … waiting for web 1/2, 2 s')
    terminal.done('healthy')
    terminal.doing('stopping')
    expect(shown()).toBe('  … stopping')
    terminal.done('stopped')
    vi.advanceTimersByTime(5000)
    expect(text().endsWith('stopped\n')).toBe(true)
  })

  test('a terminal that does not know its size is taken for 80 columns', () => {
    expect(show(true, {}, 0).terminal.width).toBe(80)
    expect(show(true, {}, 120).terminal.width).toBe(120)
  })

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
    const wipe = `\r${escape}[2K`
    expect(text()).toBe(`${wipe}  … first${wipe}  … second${wipe}  ✓ third\n`)
  })

  test('an empty NO_COLOR does not count', () => {
    expect(show(true, { NO_COLOR: '' }).terminal.strong('x')).toBe(`${escape}[1mx${escape}[0m`)
  })

  test('what is drawn again fits on one line', () => {
    const { terminal, text } = show(true, { NO_COLOR: '1' }, 20)
    terminal.doing('x'.repeat(100))
    expect(text().replace(`\r${escape}[2K`, '').length).toBeLessThan(20)
    terminal.done('')
  })

  test('a line of its own does not leave half a line behind', () => {
    const { terminal, text } = show(true, { NO_COLOR: '1' })
    terminal.doing('pending')
    terminal.line('said')
    terminal.line('again')
    expect(text()).toBe(`\r${escape}[2K  … pending\r${escape}[2Ksaid\nagain\n`)
  })
})

describe('the screen after the start', () => {
  test('says what runs, where to look and what to try, in plain lines', () => {
    const { terminal, text } = show(false)
    printScreen(terminal, screen)
    const lines = text().split('\n')
    expect(lines[1]).toBe('Both services are healthy.')
    for (const url of [...screen.edgeUrls, screen.consoleUrl, screen.dataDirectory])
      expect(text()).toContain(url)
    expect(text()).toContain('Note         no memory limits')
    expect(text()).toContain('curl -i http://127.0.0.1:8080/')
    expect(text()).toContain('bin/holdfast status --data /srv/arcade/.holdfast')
    expect(text()).toContain('bin/holdfast sign-in --data /srv/arcade/.holdfast')
    expect(text()).not.toContain(escape)
    expect(lines.length).toBeLessThanOrEqual(24)
  })

  test('fits 80 columns with a link of full length, commands in one column', () => {
    const { terminal, text } = show(true, { NO_COLOR: '1' })
    const consoleUrl = `http://127.0.0.1:8400/#sign-in=${'x'.repeat(43)}`
    printScreen(terminal, { ...screen, consoleUrl, locate: '' })
    const lines = text().split('\n')
    expect(lines.filter((line) => line.length > 80)).toEqual([])
    expect(lines).toContain(`  ${consoleUrl}`)
    const whys = ['a request through', 'what runs', 'what is limited', 'what happens']
    const columns = whys.map((why) => lines.find((line) => line.includes(why))?.indexOf(why))
    expect(new Set(columns).size).toBe(1)
  })

  test('a long command stands alone on its line', () => {
    const { terminal, text } = show(false)
    printScreen(terminal, { ...screen, locate: ' --data /srv/some/where/very/deep/arcade/.holdfast' })
    expect(text()).toContain(
      '  what runs:\n    bin/holdfast status --data /srv/some/where/very/deep/arcade/.holdfast\n',
    )
  })

  test('with colours it says the same', () => {
    const [plain, coloured] = [show(false), show(true)]
    printScreen(plain.terminal, screen)
    printScreen(coloured.terminal, screen)
    expect(coloured.text()).toContain(escape)
    expect(coloured.text().replaceAll(new RegExp(`${escape}\\[\\d+m`, 'g'), '')).toBe(plain.text())
  })
})
