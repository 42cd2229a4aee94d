import { createRoot } from 'react-dom/client'
import { systemClock } from '../kernel/std/index.ts'
import { App } from './app.tsx'
import { createHouse, HouseContext } from './data/house.ts'
import { linkOf } from './data/session.ts'
import { createTheme } from './shell/theme.ts'
import './style/tokens.css'
import './style/base.css'
import './style/shell.css'
import './style/parts.css'
import './style/pages.css'
import './style/changes.css'

const house = createHouse((input, init) => fetch(input, init), systemClock)
const theme = createTheme(localStorage, document.documentElement)
const link = linkOf(location)
// The link must not stay in the address bar, nor in the history.
if (link !== null) history.replaceState(null, '', '/')
void house.session.enter(link)

const root = document.getElementById('root')
if (root !== null) {
  createRoot(root).render(
    <HouseContext value={house}>
      <App theme={theme} />
    </HouseContext>,
  )
}
