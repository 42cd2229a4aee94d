import { expect, test } from 'vitest'
import { callAs, somebody, testHouse } from '../../../../test/support/control/house.ts'
import { whoKnows } from './people.ts'

const people = {
  lead: {
    role: 'administer' as const,
    knows: { deeply: ['Redis', 'TLS'], broadly: ['postgres', 'the game loop'] },
    reach: { email: 'lead@shop.example' },
  },
  support: {
    role: 'view' as const,
    name: 'The support desk',
    knows: { deeply: ['Postgres 17'], broadly: ['Postgres', 'tls'] },
    hours: 'Mo-Fr 9-17 Europe/Vienna',
  },
}

const found = (what: string): readonly string[] =>
  whoKnows(people, what).people.map(({ person, knows }) => `${person} ${knows}`)

test('who knows it deeply comes before who knows it broadly, and nobody twice', () => {
  expect(found('POSTGRES')).toEqual(['support deeply', 'lead broadly'])
  expect(found('tls')).toEqual(['lead deeply', 'support broadly'])
  expect(whoKnows(people, 'Postgres').says).toBe(
    'Who knows Postgres deeply: The support desk; broadly: lead.',
  )
})

test('a topic is found by each of its words, and not by a part of one', () => {
  expect(found('the game loop')).toEqual(['lead broadly'])
  expect(found('loop')).toEqual(['lead broadly'])
  expect(found('17')).toEqual(['support deeply'])
  expect(found('edi')).toEqual([])
})

test('a mistyped word is read as the nearest that somebody knows', () => {
  expect(whoKnows(people, 'postgers')).toMatchObject({
    topic: 'postgres',
    people: [{ person: 'support' }, {}],
  })
})

test('what nobody knows is said with what is known', () => {
  expect(whoKnows(people, 'Kubernetes').says).toBe(
    'Nobody here is said to know Kubernetes. What is known: postgres, Postgres 17, Redis, the game loop, TLS.',
  )
  expect(whoKnows({ lead: { role: 'view' } }, 'TLS').says).toContain('people.<name>.knows')
})

test('who may look may ask, at the door', async () => {
  const { house } = await testHouse({ people })
  const answer = await callAs(house, somebody('view'), {
    operation: 'people.who-knows',
    input: { what: ' redis ' },
  })
  expect(answer).toMatchObject({
    value: { topic: 'redis', people: [{ person: 'lead', reach: { email: 'lead@shop.example' } }] },
  })
  expect(await callAs(house, somebody('view'), { operation: 'people.list' })).toMatchObject({
    value: {
      people: [
        { person: 'lead', name: null, hours: null },
        { person: 'support', name: 'The support desk' },
      ],
    },
  })
  await expect(callAs(house, somebody('use'), { operation: 'people.list' })).rejects.toMatchObject({
    code: 'access.denied',
  })
})
