import { drawFish, drawPool, drawThing, height, width } from './draw.js'

const roundSeconds = 30
const fresh = { points: 0, secondsLeft: roundSeconds, doubleUntil: 0, hurtUntil: 0 }

/**
 * The tide pool. Calls `onChange({ points, secondsLeft })` while a round goes on, `onEnd(points)` after it and
 * `onMove({ x, y })` all the time; `others()` are the fish of the other players: { name, x, y }, as shares of the pool.
 */
export function createGame(canvas, { onChange, onEnd, onMove, others }) {
  const context = canvas.getContext('2d')
  const fish = createFish(canvas)
  const round = { running: false, ...fresh }
  let things = []
  let last = performance.now()

  const step = (now, seconds) => {
    fish.move(seconds)
    onMove({ x: fish.x / width, y: fish.y / height })
    for (const thing of things) {
      drift(thing, now, seconds)
      const caught = round.running && Math.hypot(thing.x - fish.x, thing.y - fish.y) < thing.size + 22
      if (caught) touch(round, thing, now)
    }
    things = things.filter((thing) => !thing.gone)
    if (!round.running) return
    things.push(...spawn(seconds, roundSeconds - round.secondsLeft))
    round.secondsLeft -= seconds
    onChange({ points: round.points, secondsLeft: Math.max(0, Math.ceil(round.secondsLeft)) })
    if (round.secondsLeft > 0) return
    round.running = false
    onEnd(round.points)
  }
  const frame = (now) => {
    step(now, Math.min(0.05, (now - last) / 1000))
    last = now
    drawPool(context, now)
    for (const { name, x, y } of others())
      drawFish(context, { name, x: x * width, y: y * height, faint: true })
    for (const thing of things) drawThing(context, thing)
    const blink = now < round.hurtUntil && Math.floor(now / 80) % 2 === 0
    if (!blink) drawFish(context, { x: fish.x, y: fish.y, left: fish.left, golden: now < round.doubleUntil })
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)

  return {
    start: () => {
      things = []
      Object.assign(round, fresh, { running: true })
      canvas.focus()
    },
  }
}

/** The player's fish: swims towards the pointer, or where the arrow keys say. */
function createFish(canvas) {
  const keys = new Set()
  const goal = { x: width / 2, y: height / 2 }
  const steer = (event) => {
    const box = canvas.getBoundingClientRect()
    goal.x = ((event.clientX - box.left) / box.width) * width
    goal.y = ((event.clientY - box.top) / box.height) * height
  }
  canvas.addEventListener('pointermove', steer)
  canvas.addEventListener('pointerdown', steer)
  canvas.addEventListener('keydown', (event) => {
    if (event.key.startsWith('Arrow')) event.preventDefault()
    keys.add(event.key)
  })
  canvas.addEventListener('keyup', (event) => keys.delete(event.key))
  canvas.addEventListener('blur', () => keys.clear())
  const steerByKeys = (fish) => {
    if (keys.has('ArrowLeft')) goal.x = Math.max(0, fish.x - 40)
    if (keys.has('ArrowRight')) goal.x = Math.min(width, fish.x + 40)
    if (keys.has('ArrowUp')) goal.y = Math.max(0, fish.y - 40)
    if (keys.has('ArrowDown')) goal.y = Math.min(height, fish.y + 40)
  }
  const fish = {
    ...goal,
    left: false,
    move: (seconds) => {
      steerByKeys(fish)
      const [dx, dy] = [goal.x - fish.x, goal.y - fish.y]
      const distance = Math.hypot(dx, dy)
      if (distance < 1) return
      const reach = Math.min(520 * seconds, distance) / distance
      fish.left = dx < 0
      fish.x += dx * reach
      fish.y += dy * reach
    },
  }
  return fish
}

function drift(thing, now, seconds) {
  thing.y += thing.speed * seconds
  thing.x += Math.sin(now / 700 + thing.phase) * 30 * seconds
  thing.gone = thing.y < -40 || thing.y > height + 40
}

function touch(round, thing, now) {
  thing.gone = true
  if (thing.kind === 'urchin') {
    round.points = Math.max(0, round.points - 50)
    round.hurtUntil = now + 600
    return
  }
  if (thing.kind === 'gold') round.doubleUntil = now + 5000
  round.points += (thing.kind === 'gold' ? 30 : 10) * (now < round.doubleUntil ? 2 : 1)
}

/** Ever more urchins, the longer the round goes on. */
function spawn(seconds, playedSeconds) {
  const chances = { pearl: 5, gold: 0.25, urchin: 0.8 + playedSeconds / 12 }
  const kinds = Object.keys(chances).filter((kind) => Math.random() < chances[kind] * seconds)
  return kinds.map((kind) => createThing(kind))
}

function createThing(kind) {
  const falls = kind === 'urchin'
  const size = { pearl: 9, gold: 12, urchin: 17 }[kind]
  const speed = (falls ? 1 : -1) * (70 + Math.random() * 110)
  return {
    kind,
    size,
    speed,
    x: Math.random() * width,
    y: falls ? -30 : height + 30,
    phase: Math.random() * 7,
  }
}
