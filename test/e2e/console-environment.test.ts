import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { startConsoleBrowser, type ConsoleBrowser } from '../support/console-browser.ts'
import { describeWith } from '../support/describe-with.ts'
import { mustRun, until, type Place } from '../support/holdfast/index.ts'
import { placesOfTests } from '../support/holdfast/places.ts'

const newPlace = placesOfTests()

const service = `
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
const version = readFileSync('version', 'utf8')
createServer((_, response) => response.end(version)).listen(Number(process.env.PORT), process.env.HOST)
process.on('SIGTERM', () => process.exit())
`

function environmentFile(volumes: readonly string[]): string {
  const web = {
    command: [process.execPath, 'app.mjs'],
    directory: 'web',
    startTimeout: '30s',
    volumes,
    env: { LOCAL_URL: { database: 'local' } },
    deploy: { canary: { for: '1s' }, drain: '200ms', keep: 2 },
  }
  return `export default ${JSON.stringify({
    name: 'shop',
    services: { web },
    volumes: Object.fromEntries(volumes.map((volume) => [volume, {}])),
    databases: { local: { engine: 'sqlite' } },
    edge: { routes: { '/*': { to: 'web', limit: '10000/s burst 10000' } } },
  })}\n`
}

function writeRelease(here: Place, version: string): void {
  mkdirSync(join(here.directory, 'web'), { recursive: true })
  here.write('web/app.mjs', service)
  here.write('web/version', version)
}

async function deploy(here: Place, version: string): Promise<void> {
  writeRelease(here, version)
  await here.client().job('environment.deploy', { service: 'web', version, note: `the ${version}` })
}

const served = async ({ edgeUrl }: Place): Promise<string> =>
  (await fetch(edgeUrl, { signal: AbortSignal.timeout(5000) })).text()

describeWith(['chromium'], 'the console before a real environment', ({ chromium }) => {
  let here: ConsoleBrowser

  vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })
  beforeAll(async () => {
    here = await startConsoleBrowser(chromium)
  })
  afterAll(() => here.close())
  afterEach(() => here.endTest())

  const answerOf = (page: Page): Promise<string> => page.locator('.answer').innerText()
  const begin = async (place: Place): Promise<Page> => {
    // As root each service has a user of its own, and control may not look into its volumes.
    chmodSync(place.directory, 0o755)
    writeRelease(place, '1.0')
    place.write('holdfast.config.ts', environmentFile(['uploads']))
    mustRun(await place.up())
    await until('web to answer', async () => (await served(place)) === '1.0')
    const { url } = await place.client().call('access.create-sign-in-link', {})
    const page = await here.openReal(url)
    page.setDefaultTimeout(45_000)
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    return page
  }
  const goTo = async (page: Page, { controlPort }: Place, hash: string): Promise<void> => {
    await page.goto(`http://127.0.0.1:${controlPort}/${hash}`)
    await page.locator('.answer').waitFor()
  }

  test('a roll-back by its button goes back, and each release is shown for what it is', async () => {
    const place = await newPlace()
    const page = await begin(place)
    for (const version of ['1.0', '1.1', '1.2']) await deploy(place, version)
    await goTo(page, place, '#/deploys/web')
    const kept = page.getByRole('table', { name: 'Kept releases of web' })
    const rows = async (): Promise<readonly string[]> =>
      (await kept.getByRole('row').allInnerTexts()).slice(1).map((text) => text.replace(/\s+/g, ' ').trim())
    await expect.poll(rows).toHaveLength(2)
    const [newest, older] = await rows()
    expect(newest).toMatch(/^1\.2 runs .* 2 \d+ B$/)
    expect(older).toMatch(/^1\.1 goes with the next deploy .* Go back$/)
    await page.getByRole('button', { name: 'Roll back to 1.1 of web' }).click()
    const plan = page.getByRole('dialog')
    expect(await plan.locator('.plan').innerText()).toContain('web goes from 1.2 back to 1.1')
    expect(await served(place)).toBe('1.2')
    await plan.getByRole('button', { name: 'Roll back to 1.1' }).click()
    await page.getByRole('list', { name: 'Parts of the deploy' }).waitFor()
    await page.getByText(/^web runs 1\.1 \(/).waitFor()
    expect(await served(place)).toBe('1.1')
    await expect.poll(() => answerOf(page)).toBe('The last deploy: 1.1 of web was deployed.')
    await expect.poll(async () => (await rows())[1]).toMatch(/^1\.1 runs /)
  })

  test('data are shown as they lie, and a volume goes when its name was typed out, which is a fact', async () => {
    const place = await newPlace()
    const page = await begin(place)
    writeFileSync(join(place.data, 'volumes', 'uploads', 'picture'), 'x'.repeat(5000))
    mkdirSync(join(place.data, 'volumes', 'exports'))
    await goTo(page, place, '#/data')
    await expect
      .poll(() => answerOf(page))
      .toMatch(/^In 1 database and 2 volumes, .* in all; left over: exports\.$/)
    const uploads = page.getByRole('table', { name: 'Volumes' }).getByRole('row', { name: 'uploads' })
    expect((await uploads.innerText()).replace(/\s+/g, ' ')).toMatch(
      /^uploads shared by replicas .* web .* 4\.9 KiB$/,
    )
    await page.getByRole('link', { name: 'local', exact: true }).click()
    await page.getByText(/^file:.*\/local\.db$/).waitFor()
    await page.getByText('LOCAL_URL').first().waitFor()
    await goTo(page, place, '#/data/volume/uploads')
    await page.getByRole('link', { name: 'volume uploads was given a place' }).waitFor()

    await goTo(page, place, '#/plan')
    await expect
      .poll(() => answerOf(page))
      .toBe('The file says nothing new; but 1 thing differs from what was applied.')
    rmSync(join(place.data, 'volumes', 'exports'), { recursive: true })
    await page.getByRole('button', { name: 'Look again' }).click()
    await expect.poll(() => answerOf(page)).toContain('Nothing would change')
    place.write('holdfast.config.ts', environmentFile([]))
    await page.getByRole('button', { name: 'Look again' }).click()
    await page.getByText('The data of volume uploads would be lost for good').waitFor()
    await page.getByText('All of it is in the file, which was changed and not applied').waitFor()
    await page.getByRole('button', { name: /^Apply plan/ }).click()
    const plan = page.getByRole('dialog')
    const apply = plan.getByRole('button', { name: 'Apply' })
    expect(await apply.isDisabled()).toBe(true)
    await plan.getByLabel(/Type/).fill('volume uploads')
    await apply.click()
    // Control has started anew meanwhile, and the page has gone on.
    await page.getByText(/changes were made\.$/).waitFor()
    await expect.poll(() => answerOf(page), { timeout: 30_000 }).toContain('Nothing would change')
    await goTo(page, place, '#/data')
    await expect.poll(() => answerOf(page)).toBe('In 1 database.')
    await goTo(page, place, '#/timeline?subject=volume%3Auploads')
    await page.getByText('volume uploads was removed with its data').waitFor()
  })
})
