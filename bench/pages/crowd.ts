/** The product's page with peers that come, go, and work for each other: made up, so that only showing them costs. */
import { crowd } from '../../scripts/shots/made-up.ts'
import { page, tokens } from '../../src/ui/styles.ts'
import { running } from '../../test/browser/ui/mount.ts'
import { STATUS } from '../../test/fixtures/fake-swarm.ts'

declare global {
  interface Window {
    /** Resolves when the crowd is there; from then on it moves. */
    crowded?: Promise<void>
  }
}

const PEERS = 200
/** As often as a node tells of changes. */
const TICK_MS = 100
/** Every second one leaves and one comes; in each tenth of it the round trips of some are new, and other hands work. */
const TICKS_A_CHANGE = 10
const AT_WORK = 8

for (const { styleSheet } of [tokens, page]) {
  if (styleSheet !== undefined) document.adoptedStyleSheets.push(styleSheet)
}

async function fill(): Promise<void> {
  const { swarm } = await running()
  const peers = crowd(PEERS * 2)
  let tick = 0
  const move = () => {
    tick++
    const here = peers.slice(Math.floor(tick / TICKS_A_CHANGE) % PEERS).slice(0, PEERS)
    swarm.update({
      state: 'direct',
      peers: here.map((peer, index) =>
        index % TICKS_A_CHANGE === tick % TICKS_A_CHANGE ? { ...peer, rttMs: 5 + (tick % 90) } : peer
      ),
      work: {
        ...STATUS.work,
        units: tick * AT_WORK,
        verifiedUnits: tick * AT_WORK,
        now: here
          .slice(tick % (PEERS - AT_WORK))
          .slice(0, AT_WORK)
          .map(({ peer }) => ({ skill: 'mandelbrot', requester: peer, units: 1 }))
      }
    })
  }
  move()
  setInterval(move, TICK_MS)
}

window.crowded = fill()
