/** The part of JSON Schema 2020-12 that the inputs of operations use. */
export interface FieldSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly properties?: Readonly<Record<string, FieldSchema>>
  readonly required?: readonly string[]
}

/** How a field is asked for. */
export type FieldLook = 'text' | 'number' | 'switch' | 'choice' | 'moment' | 'json'

/** A field of a form. */
export interface Field {
  readonly name: string
  readonly look: FieldLook
  readonly required: boolean
  readonly schema: FieldSchema
}

/** What is written in a form's fields, by name; a switch is `true` or empty. */
export type Written = Readonly<Record<string, string>>

/** The input to send, or what is wrong, by field. */
export type Reading =
  | { readonly input: Readonly<Record<string, unknown>>; readonly errors?: undefined }
  | { readonly errors: Readonly<Record<string, string>>; readonly input?: undefined }

function lookOf(schema: FieldSchema): FieldLook {
  if (schema.enum !== undefined) return 'choice'
  if (schema.type === 'boolean') return 'switch'
  if (schema.type === 'integer' || schema.type === 'number') {
    return schema.description?.startsWith('milliseconds since 1970') === true ? 'moment' : 'number'
  }
  return schema.type === 'string' ? 'text' : 'json'
}

/** The fields that a schema asks for, in its order. */
export function fieldsOf(schema: FieldSchema): readonly Field[] {
  return Object.entries(schema.properties ?? {}).map(([name, field]) => ({
    name,
    look: lookOf(field),
    required: schema.required?.includes(name) === true && field.default === undefined,
    schema: field,
  }))
}

const startOf = (value: unknown): string => {
  if (value === undefined || value === false) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What the fields begin with. */
export function startingValues(fields: readonly Field[]): Written {
  return Object.fromEntries(fields.map(({ name, schema }) => [name, startOf(schema.default)]))
}

const faultOfNumber = (value: number, { type, minimum, maximum }: FieldSchema): string | undefined => {
  if (!Number.isFinite(value)) return 'is not a number'
  if (type === 'integer' && !Number.isInteger(value)) return 'must be a whole number'
  if (minimum !== undefined && value < minimum) return `must be at least ${minimum}`
  return maximum !== undefined && value > maximum ? `must be at most ${maximum}` : undefined
}

const faultOfText = (text: string, schema: FieldSchema): string | undefined => {
  const { pattern, minLength = 0, maxLength = Infinity } = schema
  if (text.length < minLength) return `must have at least ${minLength} characters`
  if (text.length > maxLength) return `must have at most ${maxLength} characters`
  if (pattern === undefined || new RegExp(pattern, 'u').test(text)) return undefined
  return `does not have the right form: ${pattern}`
}

function readJson(text: string): { value?: unknown; fault?: string } {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return { fault: 'is not JSON' }
  }
}

function readField({ look, schema }: Field, text: string): { value?: unknown; fault?: string | undefined } {
  if (look === 'json') return readJson(text)
  if (look === 'switch') return { value: text === 'true' }
  if (look === 'text' || look === 'choice') return { value: text, fault: faultOfText(text, schema) }
  const value = look === 'moment' ? Date.parse(text) : Number(text)
  return { value, fault: faultOfNumber(value, schema) }
}

/** Reads what was written: the input of the operation, or what is wrong with each field. */
export function readFields(fields: readonly Field[], written: Written): Reading {
  const input: Record<string, unknown> = {}
  const errors: Record<string, string> = {}
  for (const field of fields) {
    const text = written[field.name] ?? ''
    if (text.trim() === '') {
      if (field.required) errors[field.name] = 'is needed'
      continue
    }
    const { value, fault } = readField(field, text)
    if (fault === undefined) input[field.name] = value
    else errors[field.name] = fault
  }
  return Object.keys(errors).length > 0 ? { errors } : { input }
}
