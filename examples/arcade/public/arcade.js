import { createGame } from './game.js'

const find = (id) => document.getElementById(id)
const on = (id, type, act) =>
  find(id).addEventListener(type, (event) => {
    event.preventDefault()
    void act(event)
  })
let player = null
let others = []
let days = 7

/** Calls the server; what it says against it is shown, and undefined returned. */
async function call(method, path, body) {
  try {
    const sent = { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    const response = await fetch(path, body === undefined ? { method } : { method, ...sent })
    const answer = response.status === 204 ? {} : await response.json().catch(() => ({}))
    if (response.ok) return answer
    note(
      response.status === 429
        ? tooFast(response)
        : (answer.error ?? answer.detail ?? `error ${response.status}`),
    )
  } catch {
    note('The arcade does not answer. Try again in a moment.')
  }
  return undefined
}

function tooFast(response) {
  return `Easy! Try again in ${response.headers.get('retry-after') ?? 'a few'} s.`
}

let noteTimer
function note(text) {
  find('note').textContent = text
  clearTimeout(noteTimer)
  noteTimer = setTimeout(() => (find('note').textContent = ''), 4000)
}

function element(name, { text = '', className = '' } = {}) {
  const made = document.createElement(name)
  made.textContent = text
  if (className !== '') made.className = className
  return made
}

function showPlayer(handle) {
  player = handle
  find('entry').hidden = handle !== null
  find('player').hidden = handle === null
  find('handle').textContent = handle ?? ''
}

async function showScores() {
  const answer = await call('GET', `/scores?days=${days}&limit=10`)
  const rows = (answer?.scores ?? []).map(({ handle, points }, index) => {
    const row = element('li')
    row.append(
      element('span', { text: String(index + 1), className: 'rank' }),
      element('span', { text: handle, className: 'name-cell' }),
      element('span', { text: points.toLocaleString(), className: 'points' }),
    )
    return row
  })
  find('scores').replaceChildren(
    ...(rows.length > 0 ? rows : [element('li', { text: 'Nobody yet. Be the first.' })]),
  )
}

function showMessage({ handle, text, saidAt }) {
  const list = find('messages')
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40
  const row = element('li')
  const said = new Date(saidAt)
  const time = element('time', {
    text: ` ${said.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}`,
  })
  time.dateTime = said.toISOString()
  row.append(element('b', { text: handle }), ` ${text}`, time)
  list.append(row)
  while (list.children.length > 200) list.firstChild.remove()
  if (atEnd) list.scrollTop = list.scrollHeight
}

async function openChat() {
  const answer = await call('GET', '/chat?limit=50')
  for (const message of answer?.messages ?? []) showMessage(message)
  find('messages').scrollTop = find('messages').scrollHeight
  new EventSource('/chat/live').addEventListener('message', (event) => showMessage(JSON.parse(event.data)))
}

/** The tank shows where the others are; without it the game goes on alone. */
function enterTank() {
  const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/play`)
  let me = 0
  let sentAt = 0
  socket.addEventListener('message', (event) => {
    const { you, fish } = JSON.parse(event.data)
    if (you !== undefined) me = you
    if (fish === undefined) return
    others = fish.filter(({ id }) => id !== me)
    find('online').textContent =
      others.length === 0 ? 'You have the pool to yourself.' : `${fish.length} in the pool.`
  })
  socket.addEventListener('close', () => {
    others = []
    setTimeout(() => (tank = enterTank()), 3000)
  })
  return {
    move: (place) => {
      if (socket.readyState !== WebSocket.OPEN || performance.now() - sentAt < 200) return
      sentAt = performance.now()
      socket.send(JSON.stringify(place))
    },
  }
}

async function endRound(points) {
  find('curtain').hidden = false
  find('meters').hidden = true
  find('start').textContent = 'Dive again'
  find('result').textContent =
    `${points} points.${player === null ? ' Sign in to see your name on the board.' : ''}`
  if (player === null) return
  const answer = await call('POST', '/scores', { points })
  if (answer === undefined) return
  find('result').textContent = `${points} points, number ${answer.rank} of the week.`
  await showScores()
}

async function exportData() {
  const started = await call('POST', '/exports')
  if (started === undefined) return
  note('Gathering all of your data, a few seconds please.')
  const done = await call('GET', `/exports/${started.id}?wait=25`)
  if (done?.state !== 'done') return
  const link = element('a')
  link.href = URL.createObjectURL(
    new Blob([JSON.stringify(done.result, null, 2)], { type: 'application/json' }),
  )
  link.download = 'my-arcade-data.json'
  link.click()
  URL.revokeObjectURL(link.href)
}

let tank = enterTank()
const game = createGame(find('game'), {
  onChange: ({ points, secondsLeft }) => {
    find('points').textContent = String(points)
    find('time').textContent = String(secondsLeft)
  },
  onEnd: endRound,
  onMove: (place) => tank.move(place),
  others: () => others,
})

find('start').addEventListener('click', () => {
  find('curtain').hidden = true
  find('meters').hidden = false
  game.start()
})
on('entry', 'submit', async (event) => {
  const form = new FormData(event.target)
  const credentials = { handle: form.get('handle'), password: form.get('password') }
  const answer = await call('POST', `/${event.submitter?.value ?? 'login'}`, credentials)
  if (answer !== undefined) showPlayer(answer.handle)
})
on('logout', 'click', async () => {
  await call('POST', '/logout')
  showPlayer(null)
})
on('export', 'click', exportData)
on('say', 'submit', async (event) => {
  const form = event.target
  if (player === null) return note('Sign in first; demo / arcade-demo will do.')
  if ((await call('POST', '/chat', { text: new FormData(form).get('text') })) !== undefined) form.reset()
})
document.querySelector('.tabs').addEventListener('click', (event) => {
  if (event.target.dataset.days === undefined) return
  days = Number(event.target.dataset.days)
  for (const tab of event.currentTarget.children)
    tab.setAttribute('aria-pressed', String(tab === event.target))
  void showScores()
})

showPlayer((await call('GET', '/me'))?.handle ?? null)
await Promise.all([showScores(), openChat()])
setInterval(() => void showScores(), 30_000)
