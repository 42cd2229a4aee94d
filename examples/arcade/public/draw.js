/** Size of the pool in its own units. */
export const [width, height] = [960, 600]

export function drawPool(context, now) {
  const water = context.createLinearGradient(0, 0, 0, height)
  water.addColorStop(0, '#1c8fa0')
  water.addColorStop(0.55, '#0f5878')
  water.addColorStop(1, '#082c47')
  context.fillStyle = water
  context.fillRect(0, 0, width, height)
  context.fillStyle = 'rgb(255 255 255 / 5%)'
  for (let ray = 0; ray < 5; ray++) {
    const x = ray * 220 + Math.sin(now / 3000 + ray) * 40
    context.beginPath()
    context.moveTo(x, 0)
    context.lineTo(x + 70, 0)
    context.lineTo(x - 60, height)
    context.lineTo(x - 230, height)
    context.fill()
  }
  context.lineCap = 'round'
  for (let stalk = 0; stalk < 12; stalk++) drawKelp(context, now, stalk)
}

function drawKelp(context, now, stalk) {
  const foot = 30 + stalk * 84 + (stalk % 3) * 12
  const tall = 90 + ((stalk * 53) % 120)
  const sway = Math.sin(now / 1400 + stalk) * 16
  context.strokeStyle = stalk % 2 === 0 ? '#2f8f5b' : '#236f52'
  context.lineWidth = 9 - (stalk % 3) * 2
  context.beginPath()
  context.moveTo(foot, height + 8)
  context.bezierCurveTo(
    foot - 24,
    height - tall / 3,
    foot + 24,
    height - tall / 1.5,
    foot + sway,
    height - tall,
  )
  context.stroke()
}

export function drawThing(context, { kind, x, y, size }) {
  if (kind === 'urchin') {
    context.strokeStyle = '#2a1338'
    context.lineWidth = 3
    for (let spine = 0; spine < 12; spine++) {
      const angle = (spine / 12) * Math.PI * 2
      context.beginPath()
      context.moveTo(x, y)
      context.lineTo(x + Math.cos(angle) * size * 1.5, y + Math.sin(angle) * size * 1.5)
      context.stroke()
    }
  }
  const shine = context.createRadialGradient(x - size / 3, y - size / 3, 1, x, y, size)
  const [bright, dark] = {
    pearl: ['#ffffff', '#b9d7e6'],
    gold: ['#fff6c9', '#f0a51f'],
    urchin: ['#8d5bb0', '#331648'],
  }[kind]
  shine.addColorStop(0, bright)
  shine.addColorStop(1, dark)
  context.fillStyle = shine
  context.beginPath()
  context.arc(x, y, size, 0, Math.PI * 2)
  context.fill()
}

export function drawFish(context, { x, y, left, faint, golden, name }) {
  context.save()
  context.translate(x, y)
  context.globalAlpha = faint ? 0.4 : 1
  if (name !== undefined) {
    context.fillStyle = '#e3f3f2'
    context.font = '13px system-ui, sans-serif'
    context.textAlign = 'center'
    context.fillText(name, 0, -24)
  }
  if (left) context.scale(-1, 1)
  context.fillStyle = golden ? '#ffd257' : '#ff8a5c'
  context.beginPath()
  context.ellipse(4, 0, 26, 15, 0, 0, Math.PI * 2)
  context.moveTo(-16, 0)
  context.lineTo(-36, -14)
  context.lineTo(-36, 14)
  context.fill()
  context.fillStyle = '#0b2233'
  context.beginPath()
  context.arc(18, -4, 3, 0, Math.PI * 2)
  context.fill()
  context.restore()
}
