/** The member of a record with this name, if it is its own: names that people give may be those of Object's, too. */
export function lookUp<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined
}
