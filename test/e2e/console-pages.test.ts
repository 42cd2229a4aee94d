import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { phone, startConsoleBrowser, type ConsoleBrowser } from '../support/console-browser.ts'
import { describeWith } from '../support/describe-with.ts'
import type { FakeControl } from '../support/fake-control/index.ts'

const everyPage: Readonly<Record<string, string>> = {
  overview: '#/',
  services: '#/services',
  'one service': '#/services/web',
  'routes and limits': '#/limits',
  'one limit': '#/limits/limit/edge.route.POST%20%2Flogin',
  'an application limit': '#/limits/limit/app.email.send',
  'one route': '#/limits/route/GET%20%2Fscores',
  'why refused': '#/limits/explain?subject=ip%3A203.0.113.7',
  'why refused, unknown': '#/limits/explain?subject=user%3A9',
  'why refused, whom': '#/limits/explain',
  timeline: '#/timeline?fact=12',
  deploys: '#/deploys',
  'deploys of one service': '#/deploys/web',
  'a service that cannot be deployed': '#/deploys/nobody',
  plan: '#/plan',
  data: '#/data',
  'one database': '#/data/database/main',
  'a database that others run': '#/data/database/billing',
  'one volume': '#/data/volume/exports',
  'a volume that was left over': '#/data/volume/old-scores',
  'no volume': '#/data/volume/nothing',
  'jobs and schedules': '#/runs',
  "control's jobs": '#/jobs',
  operations: '#/operations',
  'one operation': '#/operations/environment.logs',
  access: '#/access',
  'no page': '#/nowhere',
}

/** What looks otherwise while a service runs in two groups. */
const rollingPages: Readonly<Record<string, string>> = {
  'overview, rolling out': '#/',
  'services, rolling out': '#/services',
  'one service, rolling out': '#/services/web',
  'deploys, rolling out': '#/deploys',
  'jobs, rolling out': '#/jobs',
}

describeWith(['chromium'], 'every page of the console', ({ chromium }) => {
  let here: ConsoleBrowser
  let rolling: FakeControl

  // Every page is looked at in one test, and axe is thorough.
  vi.setConfig({ testTimeout: 120_000 })
  beforeAll(async () => {
    here = await startConsoleBrowser(chromium)
    rolling = await here.startAnother({ isRollingOut: true })
  })
  afterAll(async () => {
    await rolling.close()
    await here.close()
  })
  afterEach(() => here.endTest())

  /** Signs in to the usual control, then to one that rolls out, and looks at every page. */
  const walk = async (
    options: BrowserContextOptions,
    look: (page: Page, name: string) => Promise<void>,
  ): Promise<Page> => {
    const walkOne = async (fake: FakeControl, pages: Readonly<Record<string, string>>): Promise<Page> => {
      const page = await here.open(fake.link(), options)
      await page.locator('.answer').waitFor()
      for (const [name, hash] of Object.entries(pages)) {
        await page.goto(`${fake.url}/${hash}`)
        await page.locator('.answer').waitFor()
        await page.waitForTimeout(250)
        await look(page, name)
      }
      return page
    }
    await walkOne(rolling, rollingPages)
    return walkOne(here.fake, everyPage)
  }

  test('fits a phone without scrolling sideways', async () => {
    const page = await walk({ viewport: phone, hasTouch: true }, async (shown, name) => {
      const width = await shown.evaluate('document.documentElement.scrollWidth')
      expect([name, width]).toEqual([name, phone.width])
    })
    await page.getByRole('button', { name: 'More' }).click()
    await page.getByRole('link', { name: 'Access' }).click()
    await page.getByRole('heading', { level: 1, name: 'Access' }).waitFor()
  })

  test.each(['light', 'dark'] as const)('has nothing for axe to find, %s', async (colorScheme) => {
    const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
    const found: string[] = []
    const look = async (page: Page, name: string): Promise<void> => {
      // Through the debugger, since the page's own policy forbids strangers' scripts.
      await page.evaluate(axe)
      const violations = await page.evaluate(
        'axe.run().then((result) => result.violations.map((one) => one.id + ": " + one.nodes.map((node) => node.target + " " + node.failureSummary).join("; ")))',
      )
      for (const violation of violations as string[]) found.push(`${name}: ${violation}`)
    }
    const stranger = await here.open(here.fake.url, { colorScheme })
    await stranger.getByRole('heading').waitFor()
    await look(stranger, 'sign in')
    const page = await walk({ colorScheme, reducedMotion: 'reduce' }, look)
    await page.keyboard.press('Control+k')
    await page.getByRole('dialog').waitFor()
    await look(page, 'palette')
    await page.setViewportSize(phone)
    await page.keyboard.press('Escape')
    await page.goto(`${here.fake.url}/#/services`)
    await page.getByRole('button', { name: 'More' }).click()
    await look(page, 'phone')
    expect(found).toEqual([])
  })

  test('a subject is banned, its ban is lifted with a reason, and a subject is asked about', async () => {
    const page = await here.signIn()
    await page.goto(`${here.fake.url}/#/limits`)
    const form = page.getByRole('form', { name: 'Ban a subject' })
    await form.getByLabel('Subject').fill('user:13')
    await form.getByLabel('Because').fill('spam in chat')
    await form.getByRole('button', { name: 'Ban' }).click()
    await page.getByText('user:13 is banned.').waitFor()
    const bans = page.getByRole('table', { name: 'Bans' })
    await bans.getByText('spam in chat').waitFor()
    await bans.getByRole('button', { name: 'Lift what holds for user:13' }).click()
    await page.getByRole('dialog').getByLabel('Because').fill('said sorry')
    await page.getByRole('dialog').getByRole('button', { name: 'Lift' }).click()
    await page.getByText('Nobody is banned.').waitFor()
    await page.getByRole('link', { name: 'Why was somebody refused?' }).click()
    const question = page.locator('form', { has: page.getByRole('button', { name: 'Explain' }) })
    await question.getByLabel('Subject').fill('ip:203.0.113.7')
    await question.getByRole('button', { name: 'Explain' }).click()
    await page.getByText('was refused 37 times').waitFor()
    expect(new URL(page.url()).hash).toBe('#/limits/explain?subject=ip%3A203.0.113.7')
  })

  test('an application limit has its takes drawn, by one of its rules', async () => {
    const page = await here.signIn()
    await page.goto(`${here.fake.url}/#/limits/limit/app.email.send`)
    await page.getByText('Takes per minute').waitFor()
    const chart = await page
      .getByRole('img', { name: /^Takes per minute\. admitted: / })
      .getAttribute('aria-label')
    // Both rules together would be twice as much.
    const most = Number(/admitted: [^;]* now, ([\d.]+)\/min at most/.exec(chart ?? '')?.[1])
    expect(most).toBeGreaterThan(5)
    expect(most).toBeLessThan(9)
    expect(chart).toMatch(/refused: [\d.]+\/min now/)
  })

  test('data: where they live, who uses them, and nothing that opens them', async () => {
    const page = await here.signIn()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    await page.keyboard.press('g')
    await page.keyboard.press('b')
    await page.getByRole('heading', { level: 1, name: 'Data' }).waitFor()
    await page.getByRole('table', { name: 'Databases' }).waitFor()
    const answer = page.locator('.answer')
    expect(await answer.innerText()).toMatch(
      /^In 2 databases and 2 volumes, at least [\d.]+ MiB in all; elsewhere: billing; left over: old-scores\.$/,
    )
    await answer.getByRole('link', { name: 'old-scores' }).focus()
    await page.keyboard.press('Enter')
    await page.getByText('It holds 2.9 MiB; it was left over, and no service finds it.').waitFor()
    await page.getByRole('link', { name: 'Data' }).last().click()
    const databases = page.getByRole('table', { name: 'Databases' })
    await databases.getByRole('link', { name: 'main' }).click()
    await page.getByText('postgres://main:***@127.0.0.1:12345/arcade').waitFor()
    await page.getByText('databases/main/record.json').waitFor()
    await page.getByText('holdfast environment apply <plan> --destroy "database main"').waitFor()
    here.fake.world.addFact({
      kind: 'environment.database-ready',
      subject: 'service:main',
      says: 'database main (postgres 15.18) answers, 2 s after its start',
    })
    await page.getByRole('link', { name: 'answers, 2 s after its start' }).waitFor()
  })

  test('groups of replicas stand on the overview only while a service has more than one', async () => {
    const groups = (page: Page) => page.getByRole('table', { name: 'Groups of replicas' })
    const usual = await here.signIn()
    await usual.locator('.answer').waitFor()
    expect(await groups(usual).count()).toBe(0)
    const page = await here.open(rolling.link())
    await groups(page).waitFor()
    expect(await groups(page).getByRole('row').last().innerText()).toMatch(
      /web.*1\.5\.0.*b7d20f35.*3\.2.*2\.1 %.*88/s,
    )
  })

  test('two hundred services and long names are borne', async () => {
    const many = await here.startAnother({ extraServices: 197 })
    try {
      const page = await here.open(many.link(), { viewport: phone })
      await page.getByText('All 200 services healthy').waitFor()
      await page.getByText('and 188 more').waitFor()
      await page.goto(`${many.url}/#/services`)
      await page.getByLabel('Filter services').fill('long-name-190')
      await page.getByRole('heading', { name: 'a-service-with-quite-a-long-name-190' }).waitFor()
      expect(await page.locator('.service').count()).toBe(1)
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(phone.width)
    } finally {
      await many.close()
    }
  })
})
