import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startConsoleBrowser, type ConsoleBrowser } from '../support/console-browser.ts'
import { describeWith } from '../support/describe-with.ts'

describeWith(['chromium'], 'the console in a real browser', ({ chromium }) => {
  let here: ConsoleBrowser

  beforeAll(async () => {
    here = await startConsoleBrowser(chromium)
  })
  afterAll(() => here.close())
  afterEach(() => here.endTest())

  const answerOf = (page: Page): Promise<string> => page.locator('.answer').innerText()

  describe('signing in', () => {
    test('whoever is not signed in learns how to get a link', async () => {
      const page = await here.open(here.fake.url)
      await page.getByRole('heading', { name: 'Sign in with a link' }).waitFor()
      expect(await page.locator('pre').innerText()).toBe('holdfast sign-in')
    })

    test('a link signs in, once, and leaves the address bar', async () => {
      const link = here.fake.link()
      const page = await here.open(link)
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
      expect(page.url()).not.toContain('link-of')
      await page.reload()
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
      const stranger = await here.open(link)
      await stranger.getByText('This link was used already, or it has expired.').waitFor()
    })

    test('the form of a link with its own path works, too', async () => {
      const page = await here.open(here.fake.link().replace('/#sign-in=', '/sign-in#'))
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
      expect(new URL(page.url()).pathname).toBe('/')
    })

    test('signing out leads back to the beginning', async () => {
      const page = await here.signIn()
      await here.goTo(page, '#/access', 'Access')
      await page.getByRole('button', { name: 'Sign out' }).click()
      await expect.poll(() => page.getByText('You have signed out.').count()).toBe(1)
    })
  })

  test('the overview answers in one sentence, whose numbers lead to the facts behind them', async () => {
    const page = await here.signIn()
    await page.getByText('of the file is not applied').waitFor()
    expect(await answerOf(page)).toMatch(
      /^All 3 services healthy; [\d,]+ requests\/s; \d+ limits are biting; the last deploy, 1\.4\.3 of web, was given up; 1 thing differs from what was applied; 1 change of the file is not applied\.$/,
    )
    await page.locator('.chart-area canvas').first().waitFor()
    expect(await page.locator('.chart-area').first().getAttribute('aria-label')).toMatch(
      /served: [\d,]+\/s now/,
    )
    expect(await page.locator('.strip li').count()).toBe(3)
    expect(await page.locator('.fact-list li').count()).toBe(10)
    await page.locator('.answer a', { hasText: 'services healthy' }).click()
    await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor()
  })

  describe('by keyboard', () => {
    test('g and a letter lead to a page, ? lists the shortcuts, / filters', async () => {
      const page = await here.signIn()
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
      await page.keyboard.press('g')
      await page.keyboard.press('t')
      await page.getByRole('heading', { level: 1, name: 'Timeline' }).waitFor()
      await page.keyboard.press('/')
      expect(await page.evaluate("document.activeElement.getAttribute('aria-label')")).toBe('Filter by text')
      await page.keyboard.type('?g')
      expect(await page.getByRole('dialog').count()).toBe(0)
      await page.locator('h1').click()
      await page.keyboard.press('?')
      await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
      await page.keyboard.press('Escape')
      await page.getByRole('dialog').waitFor({ state: 'detached' })
    })

    test('the palette goes to a service by a few letters', async () => {
      const page = await here.signIn()
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
      await page.keyboard.press('Control+k')
      await page.keyboard.type('mail')
      await page.getByRole('option', { name: /mailer/ }).waitFor()
      await page.keyboard.press('Enter')
      await expect.poll(() => page.locator('h1').innerText()).toBe('mailer')
    })

    test('the first stop is a way past the navigation', async () => {
      const page = await here.signIn()
      await page.getByRole('heading', { name: 'Overview' }).waitFor()
      await page.keyboard.press('Tab')
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the page')
      await page.keyboard.press('Enter')
      expect(await page.evaluate('document.activeElement.id')).toBe('main')
    })
  })

  describe('the timeline', () => {
    test('is live, and filters by severity, room and text', async () => {
      const page = await here.signIn()
      await here.goTo(page, '#/timeline', 'Timeline')
      const rows = page.locator('.fact')
      await rows.first().waitFor()
      await page.waitForTimeout(300)
      here.fake.world.addFact({
        kind: 'edge.thread-replaced',
        severity: 'warning',
        says: 'a thread was replaced just now',
      })
      await page.getByText('a thread was replaced just now').waitFor()
      await page.getByLabel('Severity').selectOption('warning')
      await expect.poll(() => rows.count()).toBe(4)
      await page.getByLabel('Room or kind').selectOption('environment.*')
      await expect.poll(() => rows.count()).toBe(2)
      await page.getByLabel('Filter by text').fill('mailer')
      await expect.poll(() => rows.count()).toBe(1)
      expect(page.url()).toContain('severity=warning')
    })

    test('pauses without losing anything, and opens a fact', async () => {
      const page = await here.signIn()
      await here.goTo(page, '#/timeline', 'Timeline')
      await page.locator('.fact').first().waitFor()
      await page.getByRole('button', { name: 'Pause' }).click()
      await page.waitForTimeout(300)
      here.fake.world.addFact({ kind: 'edge.limit-bit', says: 'said during the pause', data: { limit: 'x' } })
      await page.getByRole('button', { name: 'Go on, 1 newer' }).waitFor()
      expect(await page.getByText('said during the pause').count()).toBe(0)
      await page.getByRole('button', { name: 'Go on' }).click()
      await page.getByRole('button', { name: /said during the pause/ }).click()
      expect(await page.locator('.hash').innerText()).toMatch(/^[\da-f]{64}$/)
      expect(await page.getByLabel('Data').innerText()).toContain('"limit": "x"')
    })

    test('opens the fact of an address, also on a page that is there already', async () => {
      const page = await here.signIn()
      await here.goTo(page, '#/timeline', 'Timeline')
      await page.locator('.fact').first().waitFor()
      for (const fact of [12, 3]) {
        await page.goto(`${here.fake.url}/#/timeline?fact=${fact}`)
        const details = page.locator('.fact-details', { hasText: new RegExp(`number\\s*${fact}\\s*hash`) })
        await details.waitFor()
        // As high as the page: it has been brought to where one looks.
        await expect.poll(async () => (await details.boundingBox())?.y).toBeGreaterThan(0)
        await expect.poll(async () => (await details.boundingBox())?.y).toBeLessThan(900)
      }
    })

    test('verifies its chain', async () => {
      const page = await here.signIn()
      await here.goTo(page, '#/timeline', 'Timeline')
      await page.getByRole('button', { name: 'Verify the chain' }).click()
      await expect.poll(() => page.locator('.notice').innerText()).toMatch(/^The chain holds: all \d+ facts/)
    })
  })

  test('a restart shows its plan, then its progress, then what came of it', async () => {
    const page = await here.signIn()
    await here.goTo(page, '#/services/web', 'web')
    await page.getByRole('button', { name: 'Restart web' }).click()
    const plan = page.getByRole('dialog', { name: 'Restart web' })
    expect(await plan.locator('.plan').innerText()).toContain('web/1, web/2')
    expect(here.fake.called.some(({ name }) => name === 'environment.restart')).toBe(false)
    await plan.getByRole('button', { name: 'Restart' }).click()
    await page
      .getByText(/restarting web\/\d/)
      .first()
      .waitFor()
    await page.getByText('web was restarted: web/1, web/2').waitFor()
  })

  test('a log is live, can be searched, paused, and narrowed to a replica', async () => {
    const page = await here.signIn()
    await here.goTo(page, '#/services/web', 'web')
    await page.locator('.log-line').first().waitFor()
    const before = await page.locator('.log-line').count()
    await expect.poll(() => page.locator('.log-line').count()).toBeGreaterThan(before)
    await page.getByLabel('Search the log').fill('mail server')
    await expect
      .poll(async () =>
        (await page.locator('.log-line').allInnerTexts()).every((line) => line.includes('mail server')),
      )
      .toBe(true)
    expect(await page.locator('.log mark').count()).toBeGreaterThan(0)
    await page.getByLabel('Replica', { exact: true }).selectOption('2')
    await expect
      .poll(async () => (await page.locator('.log-replica').allInnerTexts()).every((id) => id === 'web/2'))
      .toBe(true)
  })

  describe('forms of operations', () => {
    test('say what is wrong, field by field, and send nothing', async () => {
      const page = await here.signIn()
      await here.goTo(page, '#/operations/environment.logs', 'environment.logs')
      await page.getByLabel('service').fill('Web!')
      await page.getByLabel('lines').fill('0')
      here.fake.called.length = 0
      await page.getByRole('button', { name: 'Ask' }).click()
      await page.getByText('lines must be at least 1').waitFor()
      await page.getByText('service does not have the right form').waitFor()
      expect(here.fake.called.some(({ name }) => name === 'environment.logs')).toBe(false)
      await page.getByLabel('service').fill('web')
      await page.getByLabel('lines').fill('3')
      await page.getByRole('button', { name: 'Ask' }).click()
      await expect
        .poll(() => page.getByRole('region', { name: 'Items' }).locator('.log-line').count())
        .toBe(3)
    })

    test('what destroys asks for its name to be typed', async () => {
      const page = await here.signIn()
      await here.goTo(page, '#/operations/access.revoke-token', 'access.revoke-token')
      await page.getByLabel('name').fill('nobody')
      await page.getByRole('button', { name: 'Show the plan' }).click()
      const destroy = page.getByRole('button', { name: 'Destroy' })
      expect(await destroy.isDisabled()).toBe(true)
      await page.getByLabel(/Type/).fill('access.revoke-token')
      await destroy.click()
      await page.getByText('"revoked": false').waitFor()
    })

    test('people, what they know and where to reach them stand above the tokens', async () => {
      const page = await here.signIn()
      await here.goTo(page, '#/access', 'Access')
      const ada = page.getByRole('table', { name: 'People' }).getByRole('row').nth(1)
      await ada.waitFor()
      expect((await ada.innerText()).replace(/\s+/g, ' ')).toBe(
        'ada administer Postgres, the game loop TLS ada@arcade.example chat @ada Mo-Fr 9-17 Europe/Vienna',
      )
      expect(await ada.getByRole('link').getAttribute('href')).toBe('mailto:ada@arcade.example')
    })

    test('a token is shown once', async () => {
      const page = await here.signIn()
      await here.goTo(page, '#/access', 'Access')
      await page.getByLabel('Name').fill('deploys')
      await page.getByRole('button', { name: 'Create token' }).click()
      expect(await page.locator('.shown-once code').innerText()).toMatch(/^hf_/)
      await page.getByRole('button', { name: 'I have stored it' }).click()
      await page.getByRole('cell', { name: 'deploys', exact: true }).waitFor()
      expect(await page.getByText('hf_').count()).toBe(0)
    })
  })

  test('control may go away: the view stays, says so calmly, and goes on by itself', async () => {
    const page = await here.signIn()
    await here.goTo(page, '#/timeline', 'Timeline')
    await page.locator('.fact').first().waitFor()
    const facts = await page.locator('.fact').count()
    await here.fake.goAway()
    await page.getByText('Control is restarting; your service runs on.').waitFor()
    expect(await page.locator('.fact').count()).toBe(facts)
    here.fake.world.addFact({ kind: 'environment.replica-adopted', says: 'said while control was away' })
    await here.fake.comeBack()
    await page.getByText('said while control was away').waitFor({ timeout: 20_000 })
    await page.getByText('Control is restarting').waitFor({ state: 'detached' })
    expect(await page.locator('.fact').count()).toBe(facts + 1)
  })

  test('the colour scheme follows the system until the reader chooses, and is remembered', async () => {
    const page = await here.signIn({ colorScheme: 'dark' })
    const background = (): Promise<unknown> =>
      page.evaluate('getComputedStyle(document.documentElement).backgroundColor')
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    const dark = await background()
    await page.getByRole('button', { name: 'light colour scheme' }).click()
    const light = await background()
    expect(light).not.toBe(dark)
    await page.reload()
    await page.getByRole('heading', { name: 'Overview' }).waitFor()
    expect(await background()).toBe(light)
  })
})
