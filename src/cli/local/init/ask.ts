import { cancel, intro, isCancel, select, text } from '@clack/prompts'
import type { Answers, Runs } from './answers.ts'
import { splitCommand } from './command-line.ts'
import type { Suggestion } from './folder.ts'

/** Somebody ended the questions; nothing was written. */
export class Cancelled extends Error {
  override readonly name = 'Cancelled'
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (!isCancel(answer)) return answer as Exclude<T, symbol>
  cancel('Nothing was written.')
  throw new Cancelled()
}

const isName = (value: string | undefined): string | undefined =>
  /^[a-z][a-z0-9-]{0,38}$/.test(value ?? '') ? undefined : 'Lower-case letters, digits and dashes.'

const isPort = (value: string | undefined): string | undefined => {
  const port = Number(value)
  return Number.isInteger(port) && port >= 1 && port <= 65_535 ? undefined : 'A number from 1 to 65535.'
}

const isPortOrNothing = (value: string | undefined): string | undefined =>
  (value ?? '').trim() === '' ? undefined : isPort(value)

async function askCommand(suggestion: Suggestion): Promise<Runs> {
  const command = answered(
    await text({
      message: 'What starts it?',
      placeholder: 'node server.js',
      initialValue: suggestion.command ?? '',
      validate: (value) => ((value ?? '').trim() === '' ? 'A command, as you would type it.' : undefined),
    }),
  )
  const port = answered(
    await text({
      message: 'On which port does it insist? (empty: it listens on $PORT)',
      defaultValue: '',
      validate: isPortOrNothing,
    }),
  )
  return { by: 'holdfast', command: splitCommand(command), port: port === '' ? null : Number(port) }
}

async function askAddress(): Promise<Runs> {
  const address = answered(
    await text({
      message: 'Where does it listen?',
      initialValue: 'http://127.0.0.1:3000',
      validate: (value) => (/^https?:\/\/\S+$/.test(value ?? '') ? undefined : 'As http://127.0.0.1:3000.'),
    }),
  )
  return { by: 'others', address }
}

async function askRuns(suggestion: Suggestion): Promise<Runs> {
  const hint = suggestion.command === null ? {} : { hint: suggestion.because }
  const by = answered(
    await select<Runs['by']>({
      message: 'Who runs your service?',
      options: [
        { value: 'holdfast', label: 'Holdfast shall run a command', ...hint },
        { value: 'others', label: 'It runs already, at an address' },
      ],
    }),
  )
  return by === 'holdfast' ? askCommand(suggestion) : askAddress()
}

/** Asks what flags did not say; `given` are the answers that are known. Throws `Cancelled`. */
export async function ask(given: Partial<Answers>, suggestion: Suggestion): Promise<Answers> {
  intro('A holdfast.config.ts for this folder')
  const name =
    given.name ??
    answered(
      await text({ message: 'Name of the environment', initialValue: suggestion.name, validate: isName }),
    )
  const runs = given.runs ?? (await askRuns(suggestion))
  const health =
    given.health ??
    answered(
      await text({
        message: 'Which path answers 2xx when it is well? (empty: a TCP connection is enough)',
        placeholder: '/healthz',
        defaultValue: '',
        validate: (value) => (/^(?:\/\S*)?$/.test(value ?? '') ? undefined : 'A path, as /healthz.'),
      }),
    )
  const edgePort =
    given.edgePort ??
    Number(
      answered(
        await text({ message: 'Port for the world to come in', initialValue: '8080', validate: isPort }),
      ),
    )
  return { name, service: given.service ?? 'web', runs, health: health === '' ? null : health, edgePort }
}
