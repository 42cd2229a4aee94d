// The example as a project of its own: its files with the libraries that they import, which a release or an image needs.
import { cpSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { buildLimit } from './build-limit.mjs'
import { root } from './setup.mjs'

const source = join(root, 'examples', 'arcade')
const built = 'holdfast-limit'
/** What running it leaves in its directory. */
const leftOut = new Set(['.holdfast', 'data', 'node_modules'])

/** Builds it from what `npm ci` brought; what else lies in the target (the data of an environment, say) stays. */
export async function buildArcade(target) {
  cpSync(source, target, { recursive: true, filter: (path) => !leftOut.has(basename(path)) })
  const { dependencies } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  const libraries = join(target, 'node_modules')
  for (const name of Object.keys(dependencies).filter((each) => each !== built))
    cpSync(join(root, 'node_modules', name), join(libraries, name), { recursive: true })
  await buildLimit(join(libraries, built))
}
