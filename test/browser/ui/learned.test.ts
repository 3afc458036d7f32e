import { afterEach, describe, expect, it, vi } from 'vitest'
import { PEERS, peerId } from '../../fixtures/fake-swarm.ts'
import { click, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(async () => {
  vi.restoreAllMocks()
  await unmountAll()
})

describe('what the node has learned', () => {
  it('is a table of trust and pheromones, bounded, and text only', async () => {
    const { app, swarm } = await running()
    const trails = Array.from({ length: 60 }, (_, index) => ({
      peer: peerId(`12D3KooWTrail${index}`),
      skill: index === 0 ? '<b>bold</b>' : 'mandelbrot',
      strength: 0.5
    }))
    vi.spyOn(swarm.router, 'pheromones').mockImplementation(() => trails as never[])
    await click(app, '#learned > summary')
    const table = await shown(app, '#trails')
    expect(table.querySelectorAll('tbody tr')).toHaveLength(50)
    const [first] = table.querySelectorAll('tbody tr')
    expect(first === undefined ? '' : textOf(first)).toContain('<b>bold</b> 30% 50%')
    expect(table.querySelector('b')).toBeNull()
  })

  it('is nothing at first', async () => {
    const { app } = await running()
    await click(app, '#learned > summary')
    expect(textOf(await shown(app, '#no-trails'))).toContain('Nothing yet')
  })
})

describe('diagnostics', () => {
  it('are copied as JSON, whole amounts and all', async () => {
    const { app, swarm } = await running()
    const huge = 1234567890123456789012345678901234567890n
    swarm.update({ peers: PEERS, balance: { settled: huge, verified: 0n, pending: 0n, escrowed: 0n } })
    const texts: string[] = []
    vi.spyOn(navigator.clipboard, 'writeText').mockImplementation(async (text) => void texts.push(text))
    await click(app, '#learned > summary')
    await click(app, '#copy-diagnostics')
    await expect.poll(() => texts.length).toBe(1)
    const report = JSON.parse(texts[0] ?? '')
    expect(report.status.balance.settled).toBe(String(huge))
    expect(report.status.peers).toHaveLength(PEERS.length)
  })

  it('that the browser will not copy say so', async () => {
    const { app } = await running()
    vi.spyOn(navigator.clipboard, 'writeText').mockRejectedValue(new DOMException('no', 'NotAllowedError'))
    await click(app, '#learned > summary')
    await click(app, '#copy-diagnostics')
    expect(textOf(await shown(app, '#copy-error'))).toContain('NotAllowedError')
  })
})
