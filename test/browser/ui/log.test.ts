import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Job } from '../../../src/api.ts'
import { setLanguage } from '../../../src/ui/texts/index.ts'
import { zh } from '../../../src/ui/texts/zh.ts'
import { HOSTILE, PEERS, peerId, STATUS } from '../../fixtures/fake-swarm.ts'
import { click, fill, find, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(async () => {
  vi.restoreAllMocks()
  setLanguage('en')
  await unmountAll()
})

const [relay, provider] = PEERS
if (relay === undefined || provider === undefined) throw new Error('no peers')

describe('the log', () => {
  const logged = async () => {
    const house = await running()
    await shown(house.app, '#contributing[data-contributing="true"]')
    house.swarm.update({ peers: [relay] })
    house.swarm.update({ peers: [{ ...provider, peer: peerId(HOSTILE) }], state: 'direct' })
    await click(house.app, '#log > summary')
    await shown(house.app, '#log-lines')
    return house
  }
  const lines = (root: ParentNode) =>
    [...(find(root, '#log-lines')?.children ?? [])].map((line) => textOf(line))

  it('tells what happened, newest first, in the language of now, and strangers’ words as text', async () => {
    const { app } = await logged()
    const shownLines = lines(app)
    expect(shownLines.at(-1)).toContain('Contributes')
    expect(shownLines.at(-2)).toContain('Met …1relay01 (direct)')
    expect(shownLines.at(0)).toContain('…1relay01 has left')
    expect(find(app, '#log')?.querySelector('img, b')).toBeNull()
    setLanguage('zh')
    await shown(app, '#log-lines', () => lines(app).some((line) => line.includes(zh.log.lost('…1relay01'))))
  })

  it('tells of a job once, though it comes as another object each time', async () => {
    const { app, swarm } = await running()
    await click(app, '#run-sample')
    const [job] = swarm.submitted
    if (job === undefined) throw new Error('nothing was submitted')
    job.emit({ type: 'queued', price: 34n, units: 2 })
    job.succeed({ c: new Int32Array(4) })
    const again = (): Job => ({
      id: job.id,
      skill: job.skill,
      state: job.state,
      result: job.result,
      partial: () => undefined,
      why: () => [],
      cancel: () => job.cancel(),
      [Symbol.asyncIterator]: () => job[Symbol.asyncIterator]()
    })
    swarm.jobs = () => [again()]
    for (const settled of [1n, 2n, 3n]) swarm.update({ balance: { ...STATUS.balance, settled } })
    await click(app, '#log > summary')
    const planned = () => lines(app).filter((line) => line.includes('Planned')).length
    await shown(app, '#log-lines', () => lines(app).some((line) => line.includes('Done')))
    expect(planned()).toBe(1)
  })

  it('is filtered by kind and by words', async () => {
    const { app } = await logged()
    const kind = find(app, '#log-kind')
    if (!(kind instanceof HTMLSelectElement)) throw new Error('no filter')
    kind.value = 'peers'
    kind.dispatchEvent(new Event('change'))
    await shown(app, '#log-lines', (list) =>
      [...list.children].every((line) => line instanceof HTMLElement && line.dataset.kind === 'peers')
    )
    fill(app, '#log-words', 'HAS LEFT')
    await shown(app, '#log-lines', (list) => list.children.length === 1)
    fill(app, '#log-words', '<no such words>')
    expect(textOf(await shown(app, '#log-empty'))).toBe('Nothing of that kind.')
  })

  it('is copied as text, oldest first, or says why not', async () => {
    const { app } = await logged()
    const texts: string[] = []
    const write = vi
      .spyOn(navigator.clipboard, 'writeText')
      .mockImplementation(async (text) => void texts.push(text))
    await click(app, '#copy-log')
    await expect.poll(() => texts.length).toBe(1)
    const copied = texts[0]?.split('\n') ?? []
    expect(copied).toHaveLength(lines(app).length)
    expect(copied[1]).toMatch(/^\d{4}-\d\d-\d\dT.*Z Met …1relay01 \(direct\)$/)
    write.mockRejectedValue(new DOMException('no', 'NotAllowedError'))
    await click(app, '#copy-log')
    expect(textOf(await shown(app, '#log-error'))).toContain('NotAllowedError')
  })
})
