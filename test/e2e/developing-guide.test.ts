import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../architecture/sources.ts'
import { blocksOf } from '../docs/markdown.ts'
import { makePlace } from '../support/holdfast/index.ts'

const path = 'docs/guides/developing.md'
const blocks = blocksOf({ path, text: readFileSync(join(root, path), 'utf8') })
const blockOf = (language: string): string => blocks.find((block) => block.language === language)?.text ?? ''

test('the service of the guide keeps the rules that the guide names', { timeout: 60_000 }, async () => {
  const place = await makePlace()
  try {
    place.write('web.mjs', blockOf('js'))
    place.write('holdfast.config.ts', blockOf('ts'))
    const { code, out } = place.run('check', 'web', '--live', '--json')
    const { findings } = JSON.parse(out) as { readonly findings: readonly { readonly state: string }[] }
    expect(findings.filter(({ state }) => state !== 'ok')).toEqual([])
    expect(findings.length).toBeGreaterThan(7)
    expect(code).toBe(0)
  } finally {
    await place.clear()
  }
})

test(
  'a Compose file becomes an environment that can be checked and keeps the rules',
  { timeout: 60_000 },
  async () => {
    const place = await makePlace()
    try {
      place.write('web.mjs', blockOf('js'))
      place.write('.env', 'GREETING=hello\n')
      place.write(
        'compose.yaml',
        [
          'services:',
          '  web:',
          '    image: node:24',
          '    working_dir: /app',
          '    volumes: [".:/app"]',
          `    command: ["${process.execPath}", "/app/web.mjs"]`,
          '    environment: { PORT: 3000, WORDS: "${GREETING}, you" }',
          '    healthcheck: { test: curl -f http://localhost:3000/healthz }',
        ].join('\n'),
      )
      expect(place.run('init', '--from', 'compose.yaml')).toMatchObject({ code: 0 })
      expect(place.run('check')).toMatchObject({ code: 0 })
      expect(place.run('check', 'web', '--live')).toMatchObject({ code: 0 })
    } finally {
      await place.clear()
    }
  },
)
