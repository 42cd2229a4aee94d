import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import {
  chromium,
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  type Page,
} from 'playwright-core'
import { pageHeaders } from '../../src/server/control/doors/console-files.ts'
import { startFakeControl, type FakeControl, type FakeOptions } from './fake-control/index.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const desktop = { width: 1440, height: 900 }
/** The size of a phone. */
export const phone = { width: 390, height: 844 }
const launchArguments = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

async function buildConsole(outDirectory: string): Promise<void> {
  const vite = join(root, 'node_modules/vite/bin/vite.js')
  await promisify(execFile)(process.execPath, [
    vite,
    'build',
    join(root, 'src/console'),
    '--outDir',
    outDirectory,
    '--emptyOutDir',
    '--logLevel',
    'error',
  ])
}

/** The console, freshly built, in a real browser before a fake control. */
export interface ConsoleBrowser {
  readonly fake: FakeControl
  /** Opens an address as a stranger; what was open is closed. */
  open(address: string, options?: BrowserContextOptions): Promise<Page>
  /** Opens the console with a fresh sign-in link. */
  signIn(options?: BrowserContextOptions): Promise<Page>
  /** Opens a sign-in link of a control that is there; its pages come from this build, all else from it. */
  openReal(link: string): Promise<Page>
  /** Goes to a page and waits for its heading. */
  goTo(page: Page, hash: string, title: string | RegExp): Promise<void>
  /** Another fake control for the same build; the caller closes it. */
  startAnother(options: Partial<FakeOptions>): Promise<FakeControl>
  /** Closes what is open; throws when the page complained of anything. */
  endTest(): Promise<void>
  close(): Promise<void>
}

function listen(page: Page, complaints: string[]): void {
  page.setDefaultTimeout(10_000)
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    // Control is away, or nobody is signed in: the browser says so itself.
    const expected = message.text().includes('Failed to load resource')
    if (message.type() === 'error' && !expected) complaints.push(message.text())
  })
}

/** Builds the console and starts a browser and a fake control. */
export async function startConsoleBrowser(
  executablePath: string,
  fakeOptions: Partial<FakeOptions> = {},
): Promise<ConsoleBrowser> {
  const consoleDirectory = await mkdtemp(join(tmpdir(), 'holdfast-console-'))
  await buildConsole(consoleDirectory)
  const browser: Browser = await chromium.launch({ executablePath, args: launchArguments })
  const fake = await startFakeControl({ consoleDirectory, stepMs: 150, ...fakeOptions })
  const complaints: string[] = []
  let context: BrowserContext | undefined

  const begin = async (options: BrowserContextOptions = {}): Promise<Page> => {
    await context?.close()
    context = await browser.newContext({ viewport: desktop, ...options })
    const page = await context.newPage()
    listen(page, complaints)
    return page
  }
  const open = async (address: string, options?: BrowserContextOptions): Promise<Page> => {
    const page = await begin(options)
    await page.goto(address)
    return page
  }
  return {
    fake,
    open,
    signIn: (options) => open(fake.link(), options),
    openReal: async (link) => {
      const page = await begin()
      await page.route(`${new URL(link).origin}/**`, (route) => {
        const { pathname } = new URL(route.request().url())
        if (/^\/(ops\/|healthz)/.test(pathname)) return route.continue()
        const file = extname(pathname) === '' ? 'index.html' : pathname
        return route.fulfill({ path: join(consoleDirectory, file), headers: { ...pageHeaders } })
      })
      await page.goto(link)
      return page
    },
    goTo: async (page, hash, title) => {
      await page.goto(`${fake.url}/${hash}`)
      await page.getByRole('heading', { level: 1, name: title }).waitFor()
    },
    startAnother: (options) => startFakeControl({ consoleDirectory, ...options }),
    endTest: async () => {
      await context?.close()
      context = undefined
      const said = complaints.splice(0)
      if (said.length > 0) throw new Error(`the page complained: ${said.join('; ')}`)
    },
    close: async () => {
      await browser.close()
      await fake.close()
      await rm(consoleDirectory, { recursive: true, force: true })
    },
  }
}
