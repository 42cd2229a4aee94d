import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { startConsoleBrowser, type ConsoleBrowser } from '../support/console-browser.ts'
import { describeWith } from '../support/describe-with.ts'
import type { FakeControl } from '../support/fake-control/index.ts'

describeWith(['chromium'], 'changes from the console', ({ chromium }) => {
  let here: ConsoleBrowser
  let rolling: FakeControl

  beforeAll(async () => {
    here = await startConsoleBrowser(chromium, { stepMs: 1000 })
    rolling = await here.startAnother({ isRollingOut: true })
  })
  afterAll(async () => {
    await rolling.close()
    await here.close()
  })
  afterEach(() => here.endTest())

  const called = (name: string): unknown => here.fake.called.findLast((call) => call.name === name)?.input
  const answerOf = (page: Page): Promise<string> => page.locator('.answer').innerText()

  test('a roll-back is one button with its plan, its progress and its announcement, by keyboard alone', async () => {
    const page = await here.signIn()
    await here.goTo(page, '#/deploys', 'Deploys')
    const button = page.getByRole('button', { name: 'Roll back to 1.4.1 of web' })
    await button.focus()
    await page.keyboard.press('Enter')
    const plan = page.getByRole('dialog', { name: 'Roll back to 1.4.1 of web' })
    expect(await plan.locator('.plan').innerText()).toContain('web goes from 1.4.2 back to 1.4.1')
    expect(called('environment.rollback')).toBeUndefined()
    await page.keyboard.press('Escape')
    await plan.waitFor({ state: 'detached' })
    expect(called('environment.rollback')).toBeUndefined()
    await button.focus()
    await page.keyboard.press('Enter')
    await plan.getByRole('button', { name: 'Roll back to 1.4.1' }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'web is going back' }).waitFor()
    await page.getByText('web runs 1.4.1 (it was not judged).').waitFor()
    expect(called('environment.rollback')).toEqual({ service: 'web', to: '1.4.1' })
    await page.getByRole('button', { name: 'Roll back to 1.4.2 of web' }).waitFor()
    expect(await answerOf(page)).toContain('The last deploy: 1.4.1 of web was deployed.')
  })

  test('the form of a deploy says what is wrong, then what will happen, then how far it is', async () => {
    const page = await here.signIn()
    await here.goTo(page, '#/deploys/web', 'web')
    const form = page.getByRole('form', { name: 'Deploy a release' })
    await form.getByRole('button', { name: 'Show the plan' }).click()
    await form.getByText('version is needed').waitFor()
    await form.getByLabel('version').fill('1.6.0')
    await form.getByLabel('from').fill('git:v1.6.0')
    await form.getByLabel('note').fill('chat in the lobby')
    await form.getByRole('button', { name: 'Show the plan' }).click()
    const plan = page.getByRole('dialog', { name: 'Deploy 1.6.0 of web' })
    expect(await plan.locator('.plan').innerText()).toContain(
      'The files of git:v1.6.0 are stored as release 1.6.0',
    )
    await plan.getByRole('button', { name: 'Deploy' }).click()
    await page.getByRole('heading', { name: 'web is being deployed' }).waitFor()
    await page.getByText('web: 1 new beside the old, being judged').first().waitFor()
    await page.getByText(/^web runs 1\.6\.0 \(204 requests/).waitFor()
    expect(called('environment.deploy')).toEqual({
      service: 'web',
      version: '1.6.0',
      from: 'git:v1.6.0',
      note: 'chat in the lobby',
    })
    const first = page.getByRole('table', { name: 'Last deploys' }).getByRole('row').nth(1)
    expect((await first.innerText()).replace(/\s+/g, ' ')).toMatch(
      /^web 1\.6\.0 after 1\.4\.\d deployed .* person:ada “chat in the lobby”/,
    )
  })

  test('a deploy that somebody else began is followed, with both groups side by side', async () => {
    const page = await here.open(rolling.link())
    await page.locator('.answer').waitFor()
    await page.goto(`${rolling.url}/#/deploys`)
    await page.getByText('50 % web: 1 new beside the old, being judged').waitFor()
    const judged = page.getByRole('table', { name: 'Old and new release' })
    expect(await judged.getByRole('row').nth(1).innerText()).toMatch(/1\.4\.2 old.*1,641.*0\.2 %.*31 ms/s)
    expect(await judged.getByRole('row').last().innerText()).toMatch(/1\.5\.0 new.*188.*2\.1 %.*88 ms/s)
    await page.getByText('6 s of 10 s').waitFor()
    await page.getByText('if its p95 is more than 1.5 times the old one’s').waitFor()
    const now = page.locator('.phases [aria-current=step]')
    expect(await now.innerText()).toBe('Judged beside the old')
    expect(await page.getByRole('button', { name: 'Roll back to 1.4.2 of web' }).isDisabled()).toBe(true)
    Object.assign(rolling.world.jobs[0] ?? {}, { share: 0.8, says: 'web: 1 of 2 new replicas serve' })
    await page.getByText('80 % web: 1 of 2 new replicas serve').waitFor()
    await page.goto(`${rolling.url}/#/services`)
    const replicas = page.getByRole('table', { name: 'Replicas of web' })
    expect(await replicas.getByRole('row').last().innerText()).toMatch(/web\/3 1\.5\.0/)
    expect(await page.getByRole('table', { name: 'Replicas of mailer' }).innerText()).not.toContain('2.0.1')
    await page.getByText('release 1.4.2 and 1.5.0').waitFor()
    await page.getByRole('link', { name: 'its deploys (web)' }).click()
    await page.getByRole('heading', { level: 1, name: 'web' }).waitFor()
  })

  test('a lock stands in the first line, bars the roll-back, and goes again', async () => {
    const page = await here.signIn()
    await here.goTo(page, '#/deploys', 'Deploys')
    const form = page.getByRole('form', { name: 'Lock deploys' })
    await form.getByLabel('Because').fill('the tournament')
    await form.getByRole('button', { name: 'Lock deploys' }).click()
    await expect.poll(() => answerOf(page)).toContain('Deploys of all services are locked: the tournament.')
    const back = page.getByRole('button', { name: /^Roll back to .* of web/ })
    await expect.poll(() => back.isDisabled()).toBe(true)
    await page.getByRole('button', { name: 'Unlock deploys of all services' }).click()
    await expect.poll(() => back.isDisabled()).toBe(false)
    expect(called('environment.unlock-deploys')).toEqual({ service: '*' })
  })

  test('a plan is a readable difference, and what it would destroy is typed out before it is applied', async () => {
    const page = await here.signIn()
    await here.goTo(page, '#/plan', 'Plan')
    await page.getByText('5 things would change').waitFor()
    const login = page.getByRole('table', { name: 'What differs in route POST /login' })
    expect((await login.innerText()).replace(/\s+/g, ' ')).toBe(
      'what now then limit 5/min per ip 5/min per ip + comes: 50/hour per ip',
    )
    const web = page.getByRole('table', { name: 'What differs in service web' })
    expect((await web.getByRole('row').nth(2).innerText()).replace(/\s+/g, ' ')).toBe(
      'resources.memoryMiB − goes: 256 + comes: 384',
    )
    await page.getByText('3 → 5 replicas; those with a bound may use 512 → 768 MiB').waitFor()
    await page.getByText('The data of volume exports would be lost for good').waitFor()
    await page.getByText('mailer goes on as it was: it crashed').waitFor()
    await page.getByText('1 of them is in the file, which was changed and not applied').waitFor()
    await page.getByText('42 min ago').waitFor()
    await page.getByRole('button', { name: 'Apply plan 9f31c25be07d4a18' }).click()
    const plan = page.getByRole('dialog')
    const apply = plan.getByRole('button', { name: 'Apply' })
    expect(await apply.isDisabled()).toBe(true)
    await plan.getByLabel(/Type/).fill('volume export')
    expect(await apply.isDisabled()).toBe(true)
    await plan.getByLabel(/Type/).fill('volume exports')
    await apply.click()
    await page.getByText('mailer: 2 of 3 replicas were started').waitFor()
    await page.getByText('5 changes were made.').waitFor()
    expect(called('environment.apply')).toEqual({ plan: '9f31c25be07d4a18', destroy: ['volume exports'] })
    await page.getByText('Nothing would change').waitFor()
    expect(await page.getByRole('button', { name: /^Apply/ }).count()).toBe(0)
    await page.getByText('Nothing has drifted').waitFor()
    await page.getByText('holdfast environment plan').waitFor()
  })

  test('the file is looked at when the page is opened, by a button, on return and upon a fact, and not by itself', async () => {
    const page = await here.signIn()
    await here.goTo(page, '#/plan', 'Plan')
    await page.locator('.look-again').waitFor()
    const asked = (name: string): number => here.fake.called.filter((call) => call.name === name).length
    const both = (): number[] => [asked('environment.plan'), asked('environment.drift')]
    const settled = async (): Promise<number[]> => {
      let before: number[] = []
      while (String(before) !== String(both())) {
        before = both()
        await page.waitForTimeout(500)
      }
      return before
    }
    const more = ([plan = 0, drift = 0]: readonly number[]): number[] => [plan + 1, drift + 1]
    const opened = await settled()
    await page.waitForTimeout(11_000)
    expect(both()).toEqual(opened)
    await page.getByRole('button', { name: 'Look again' }).click()
    await expect.poll(both).toEqual(more(opened))
    const byButton = await settled()
    await page.evaluate("dispatchEvent(new Event('focus'))")
    await expect.poll(both).toEqual(more(byButton))
    const byReturn = await settled()
    here.fake.world.addFact({ kind: 'environment.replica-adopted', says: 'nothing of it changed' })
    for (const service of ['web', 'mailer', 'web']) {
      here.fake.world.addFact({ kind: 'environment.service-unhealthy', says: `${service} is not healthy` })
    }
    await expect.poll(both, { timeout: 10_000 }).toEqual(more(byReturn))
    await page.waitForTimeout(4000)
    expect(both()).toEqual(more(byReturn))
  })

  test('what was kept of a service is shown with what becomes of it, and each that was good can be gone back to', async () => {
    const page = await here.signIn()
    await here.goTo(page, '#/deploys/web', 'web')
    const kept = page.getByRole('table', { name: 'Kept releases of web' })
    const rowOf = async (release: string): Promise<string> =>
      (await kept.getByRole('row', { name: release }).innerText()).replace(/\s+/g, ' ').trim()
    expect(await rowOf('1.4.3')).toMatch(/^1\.4\.3 did not last git:v1\.4\.3 .* 214 3\.3 MiB$/)
    expect(await rowOf('1.4.0')).toMatch(/^1\.4\.0 goes with the next deploy .* Go back$/)
    await kept.getByRole('button', { name: 'Go back to 1.4.0 of web' }).click()
    const plan = page.getByRole('dialog')
    expect(await plan.locator('.plan').innerText()).toMatch(/web goes from .* back to 1\.4\.0/)
    await plan.getByRole('button', { name: 'Roll back to 1.4.0' }).click()
    await page.getByText('web runs 1.4.0 (it was not judged).').waitFor()
    expect(called('environment.rollback')).toEqual({ service: 'web', to: '1.4.0' })
  })

  test('a file that is wrong is said, with its error, and there is nothing to apply until it is mended', async () => {
    const page = await here.open(rolling.link())
    await page.locator('.answer').waitFor()
    rolling.world.changes.trouble =
      'holdfast.config.ts: services.web.limt is not known; did you mean "limit"?'
    await page.goto(`${rolling.url}/#/plan`)
    await page.getByText('did you mean "limit"?').waitFor()
    expect(await answerOf(page)).toBe('The environment file cannot be applied.')
    expect(await page.getByRole('button', { name: /^Apply/ }).count()).toBe(0)
    rolling.world.changes.trouble = ''
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByRole('button', { name: 'Apply plan 9f31c25be07d4a18' }).waitFor()
  })

  test('a job is run by a button, and what it wrote last is folded into its line', async () => {
    const page = await here.signIn()
    await here.goTo(page, '#/runs', 'Jobs and schedules')
    expect(await answerOf(page)).toMatch(/^The last run: tidy ended well\. nightly is next, in \d+ h\.$/)
    await page.locator('.run', { hasText: 'failed: exit code 1' }).locator('summary').click()
    await page.getByText('Error: the database is locked').waitFor()
    await page.getByRole('button', { name: 'Run migrate' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Run' }).click()
    await page.getByText('migrate ended well after 0.3 s.').waitFor()
    const first = page.locator('.run').first()
    await expect.poll(() => first.innerText()).toContain('by hand')
    await first.locator('summary').click()
    expect(await first.locator('pre').innerText()).toBe('migrate: done just now')
  })
})
