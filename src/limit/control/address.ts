import type { ControlAddress, LimitsOptions } from '../port.ts'

/** Control, and whether the environment named it rather than the program. */
export interface FoundControl {
  readonly address: ControlAddress
  readonly isGiven: boolean
}

/**
 * Finds control: what the options say, else what `HOLDFAST_URL` and `HOLDFAST_TOKEN` name, which Holdfast sets for
 * each replica. Undefined: there is none, or it is not wanted.
 */
export function findControl(
  control: LimitsOptions['control'],
  variables: Readonly<Record<string, string | undefined>>,
): FoundControl | undefined {
  if (control === false) return undefined
  if (control !== undefined) return { address: control, isGiven: false }
  const { HOLDFAST_URL: url = '', HOLDFAST_TOKEN: token = '' } = variables
  return url === '' || token === '' ? undefined : { address: { url, token }, isGiven: true }
}
