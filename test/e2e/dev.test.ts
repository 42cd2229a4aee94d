import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makePlace, mustRun, until, type Place, type Up } from '../support/holdfast/index.ts'

const service = (answer: string): string => `
import { createServer } from 'node:http'
console.log('begins to say ${answer}')
createServer((_, response) => response.end('${answer}')).listen(process.env.PORT, process.env.HOST)
process.on('SIGTERM', () => process.exit(0))
`

const config = (limit: string): string => `
export default {
  name: 'shop',
  services: {
    web: { command: ['${process.execPath}', 'web.mjs'], health: '/' },
    other: { command: ['${process.execPath}', 'other.mjs'], directory: 'other', health: '/' },
  },
  edge: { routes: { '/*': { to: 'web', limit: '${limit}' } } },
}
`

let place: Place
let running: Up

beforeEach(async () => {
  place = await makePlace()
  place.write('web.mjs', service('one'))
  mkdirSync(join(place.directory, 'other'))
  place.write('other/other.mjs', service('aside'))
  place.write('.gitignore', 'written/\n')
  place.write('holdfast.config.ts', config('600/min per ip burst 600'))
})

afterEach(() => place.clear())

const answer = async (): Promise<string> => (await fetch(place.edgeUrl)).text()
const says = (text: string): Promise<void> => until(text, () => running.said().includes(text), 30_000)

describe('holdfast dev', { timeout: 120_000 }, () => {
  test('a changed file restarts its service and no other, and its log is followed', async () => {
    running = await place.up([], {}, { command: 'dev' })
    mustRun(running)
    await says('Watching the environment file and web (.), other (other).')
    await says('web/1 | begins to say one')
    await says('other/1 | begins to say aside')
    expect(await answer()).toBe('one')
    place.write('web.mjs', service('two'))
    await until('the new answer', async () => (await answer()) === 'two', 30_000)
    await says('dev | web was restarted and is healthy after')
    await says('web/1 | begins to say two')
    expect(running.said()).not.toContain('other has changed')
    place.write('other/other.mjs', service('aside again'))
    await says('dev | other was restarted and is healthy after')
    expect(running.said().match(/web was restarted/g)).toHaveLength(1)
    running.process.kill('SIGINT')
    expect(await running.ended).toBe(0)
    await expect(answer()).rejects.toThrow('fetch failed')
  })

  test('a wrong environment file is said and the one before goes on; a mended one is taken over', async () => {
    running = await place.up([], {}, { command: 'dev' })
    mustRun(running)
    await says('Watching the environment file')
    place.write('holdfast.config.ts', config('as much as you like'))
    await says('dev | the environment file is not taken over, the one before goes on:')
    expect(await answer()).toBe('one')
    place.write('holdfast.config.ts', config('700/min per ip burst 700'))
    await says('dev | the environment file was taken over: route /* is changed')
    place.write('web.mjs', service('after the reload'))
    await until('the new answer', async () => (await answer()) === 'after the reload', 30_000)
    await says('web/1 | begins to say after the reload')
  })

  test('a service that is broken is told, and mended at once by the next change', async () => {
    running = await place.up([], {}, { command: 'dev' })
    mustRun(running)
    await says('Watching the environment file')
    place.write('web.mjs', 'throw new Error("half written")')
    await says('half written')
    place.write('web.mjs', service('whole'))
    await until('the new answer', async () => (await answer()) === 'whole', 15_000)
    expect(running.said()).not.toContain('web was not restarted')
  })

  test('what is not watched restarts nothing', async () => {
    expect((await place.up(['--no-watch', 'wbe'], {}, { command: 'dev' })).said()).toContain(
      'did you mean "web"?',
    )
    running = await place.up(['--no-watch', 'web'], {}, { command: 'dev' })
    mustRun(running)
    await says('and other (other); not web.')
    place.write('web.mjs', service('unseen'))
    place.write('other/other.log', 'a log')
    place.write('other/other.mjs', service('seen'))
    await says('dev | other was restarted and is healthy after')
    expect(await answer()).toBe('one')
    expect(running.said()).not.toContain('web has changed')
    expect(running.said().match(/other has changed/g)).toHaveLength(1)
  })
})
