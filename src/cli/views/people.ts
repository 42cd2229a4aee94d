import type { Operations } from '../../contracts/index.ts'
import { harmless, table, type Paper } from '../output/index.ts'
import type { Views } from './view.ts'

type Person = Operations['people.list']['output']['people'][number]

const sayReach = ({ reach, hours }: Person): string =>
  [
    ...Object.entries(reach).map(([how, where]) => `${how} ${where}`),
    ...(hours === null ? [] : [hours]),
  ].join(', ')

const columns = [{ title: 'PERSON' }, { title: 'NAME' }] as const

function peopleTable(
  people: readonly Person[],
  more: { readonly titles: readonly string[]; readonly cells: (person: Person) => readonly string[] },
  paper: Paper,
): readonly string[] {
  const rows = people.map((each) => [
    each.person,
    harmless(each.name ?? ''),
    ...more.cells(each).map(harmless),
    harmless(sayReach(each)),
  ])
  return table([...columns, ...more.titles.map((title) => ({ title })), { title: 'REACH' }], rows, paper)
}

/** How the operations on people are drawn. */
export const peopleViews = {
  'people.list': ({ people }, paper) =>
    people.length === 0
      ? ['the environment file names nobody; add them under "people"']
      : peopleTable(
          people,
          {
            titles: ['MAY', 'KNOWS DEEPLY', 'KNOWS BROADLY'],
            cells: ({ role, deeply, broadly }) => [role, deeply.join(', '), broadly.join(', ')],
          },
          paper,
        ),
  'people.who-knows': ({ says, people }, paper) => [
    harmless(says),
    ...(people.length === 0
      ? []
      : ['', ...peopleTable(people, { titles: ['MAY'], cells: ({ role }) => [role] }, paper)]),
  ],
} satisfies Views
