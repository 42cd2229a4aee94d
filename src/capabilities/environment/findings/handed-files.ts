import type { Finding } from '../../../kernel/capability/index.ts'
import { lookUp } from '../../../kernel/std/index.ts'
import type { ServiceConfig, ServicesConfig } from '../config.ts'
import { fileVariable, mostFileBytes, type Ground } from '../wish/index.ts'

const variableHint = (variable: string): string => `set it before starting, as ${variable}=... holdfast up`

/** What is wrong with as many bytes; null: nothing. */
export function sayUnfitSize(bytes: number): string | null {
  if (bytes === 0) return 'is empty, and an empty file cannot be handed to a service'
  if (bytes < mostFileBytes) return null
  return `has ${bytes} bytes, and a file that is handed to a service has less than ${mostFileBytes}`
}

/** A variable whose value is to be a file, and what keeps it from being one. */
function ofVariable(path: string, variable: string, { hostVariables }: Ground): readonly Finding[] {
  const text = lookUp(hostVariables, variable)
  const trouble = text === undefined ? 'is not set' : sayUnfitSize(Buffer.byteLength(text))
  if (trouble === null) return []
  return [
    {
      severity: 'critical',
      path,
      message: `the variable ${variable} ${trouble}`,
      hint: variableHint(variable),
    },
  ]
}

/** Of two values of one variable the service would see one, and nobody could say which. */
function ofTaken(path: string, name: string, { env, passEnv }: ServiceConfig): readonly Finding[] {
  const variable = fileVariable(name)
  if (!Object.hasOwn(env, variable) && !passEnv.includes(variable)) return []
  const message = `${variable} is where it finds the path of this file, and it is set besides`
  const hint = `take ${variable} out of "env" and "passEnv", or call the file something else`
  return [{ severity: 'critical', path, message, hint }]
}

/** What keeps services from being handed their files, but for what lies on the disk. */
export function findUnfitFiles(services: ServicesConfig, ground: Ground): readonly Finding[] {
  return Object.entries(services).flatMap(([service, config]) =>
    Object.entries(config.files).flatMap(([name, from]) => {
      const path = `services.${service}.files.${name}`
      const taken = ofTaken(path, name, config)
      return typeof from === 'string' ? taken : [...taken, ...ofVariable(path, from.variable, ground)]
    }),
  )
}
