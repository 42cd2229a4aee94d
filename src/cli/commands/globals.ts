import type { Flag } from '../arguments/index.ts'

/** Flags that every command knows. */
export const globalFlags: readonly Flag[] = [
  { name: 'json', field: 'json', kind: 'boolean', means: 'answer in JSON, for programs' },
  {
    name: 'config',
    field: 'config',
    kind: 'text',
    means: 'the environment file; default: the nearest holdfast.config.ts, here or above',
  },
  {
    name: 'data',
    field: 'data',
    kind: 'text',
    means: 'the data directory; default: .holdfast beside that file',
  },
  { name: 'url', field: 'url', kind: 'text', means: 'where control answers (or HOLDFAST_URL)' },
  { name: 'token', field: 'token', kind: 'text', means: 'what opens its door (or HOLDFAST_TOKEN)' },
  {
    name: 'color',
    field: 'color',
    kind: 'boolean',
    means: 'colours; default: in a terminal without NO_COLOR',
  },
  { name: 'help', field: 'help', kind: 'boolean', short: 'h', means: 'explain a command' },
]

/** Stands alone only: after a command's words `--version` may mean that of a release. */
export const versionFlag: Flag = {
  name: 'version',
  field: 'version',
  kind: 'boolean',
  means: 'print the version',
}
