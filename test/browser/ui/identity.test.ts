import { afterEach, describe, expect, it, vi } from 'vitest'
import type { OpenedIdentity } from '../../../src/core.ts'
import { IdentityPanel, type IdentityReader } from '../../../src/ui/identity-panel.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { FakeModule, ME, PEERS, peerId } from '../../fixtures/fake-swarm.ts'
import { click, fill, find, type Mounted, mount, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(unmountAll)

const FOUND: OpenedIdentity = {
  identity: Uint8Array.of(7),
  peer: peerId('12D3KooWProv11111111111111111111111111111111prov001'),
  network: 'local',
  records: 12,
  balance: 3_000_000n
}

async function panelOf({ app }: Mounted, open: IdentityReader['openIdentity']): Promise<IdentityPanel> {
  const panel = await shown(app, 'identity-panel')
  if (!(panel instanceof IdentityPanel)) throw new Error('no panel')
  panel.reader = async () => ({ openIdentity: open, defaultNetwork: () => 'local' })
  const details = await shown(app, '#identity')
  if (details instanceof HTMLDetailsElement) details.open = true
  return panel
}

/** As a person who picks a file and looks into it. */
async function look({ app }: Mounted, size = 3): Promise<void> {
  const input = await shown(app, '#identity-file')
  if (!(input instanceof HTMLInputElement)) throw new Error('no input')
  const file = new File([new Uint8Array(3)], 'me.identity')
  Object.defineProperty(file, 'size', { value: size })
  const files = new DataTransfer()
  files.items.add(file)
  input.files = files.files
  const given = input.files[0]
  if (given !== undefined) Object.defineProperty(given, 'size', { value: size })
  await click(app, '#look')
}

const failureOf = async ({ app }: Mounted) => textOf(await shown(app, '#identity-error'))

/** What the page keeps, as a test sees it go. */
function keeping() {
  const erased: string[] = []
  const data = {
    eraseNode: async (network: string) => void erased.push(network),
    eraseAll: async () => void erased.push('all')
  }
  return { erased, init: { data } }
}

describe('an identity that moves away', () => {
  it('wants a passphrase of ten characters, twice, and leaves a file that the page holds', async () => {
    const saved: string[] = []
    const clicks = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement
    ) {
      saved.push(this.download)
    })
    const page = await running()
    const leave = vi.spyOn(page.swarm, 'exportIdentity').mockImplementation(async () => {
      await page.swarm.stop()
      return Uint8Array.of(1)
    })
    await panelOf(page, async () => FOUND)
    for (const [one, two, problem] of [
      ['short', 'short', 'at least 10'],
      ['long enough!', 'long enough?', 'not the same']
    ] as const) {
      fill(page.app, '#move-passphrase', one)
      fill(page.app, '#move-repeat', two)
      await click(page.app, '#move')
      await shown(page.app, '#passphrase-error', (element) => textOf(element).includes(problem))
    }
    expect(leave).not.toHaveBeenCalled()
    fill(page.app, '#move-repeat', 'long enough!')
    await click(page.app, '#move')
    await shown(page.app, '#moved')
    expect(page.app.holdsFile).toBe(true)
    await click(page.app, '#save-again')
    await expect.poll(() => saved).toEqual(['XuQeMe01-local.identity', 'XuQeMe01-local.identity'])
    expect(find(page.app, '#state')).toBeUndefined()
    clicks.mockRestore()
  })

  it('can be saved again in a later visit, until somebody says that the file is kept', async () => {
    const saved: string[] = []
    const clicks = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement
    ) {
      saved.push(this.download)
    })
    const module = new FakeModule()
    module.failWith = new SwarmError('MOVED', 'This identity was moved.')
    module.left = { peer: ME, file: Uint8Array.of(1) }
    const page = mount({ module })
    await click(page.app, '#consent-hire')
    await shown(page.app, '#start-error')
    await shown(page.app, '#identity[open]')
    fill(page.app, '#move-passphrase', 'long enough!')
    fill(page.app, '#move-repeat', 'long enough!')
    await click(page.app, '#move')
    await shown(page.app, '#moved[data-safe="false"]')
    expect(saved).toEqual(['XuQeMe01-local.identity'])
    expect(page.app.holdsFile).toBe(true)
    await click(page.app, '#have-file')
    await shown(page.app, '#moved[data-safe="true"]')
    expect(module.left).toBeUndefined()
    expect(page.app.holdsFile).toBe(false)
    await click(page.app, '#save-again')
    expect(saved).toHaveLength(2)
    clicks.mockRestore()
  })

  it('stays while a job of its own runs', async () => {
    const page = await running()
    page.swarm.submit('matmul-i8', {})
    await panelOf(page, async () => FOUND)
    fill(page.app, '#move-passphrase', 'long enough!')
    fill(page.app, '#move-repeat', 'long enough!')
    await click(page.app, '#move')
    expect(await failureOf(page)).toContain('A job of yours')
    expect(page.swarm.calls).not.toContain('stop')
  })
})

describe('an identity from a file', () => {
  it('is shown first; then it takes the place of the one that is here', async () => {
    const { erased, init } = keeping()
    const module = new FakeModule()
    const page = mount({ module, init })
    await click(page.app, '#consent-hire')
    await panelOf(page, async () => FOUND)
    await look(page)
    expect(textOf(await shown(page.app, '#found'))).toContain('12 records, all checked, and 3.000000 credits')
    expect(erased).toEqual([])
    expect(module.inits).toHaveLength(1)
    await click(page.app, '#take-up')
    await expect.poll(() => module.inits[1]?.identity).toEqual(FOUND.identity)
    expect(erased).toEqual(['local'])
    await shown(page.app, '#state')
  })

  it.each([
    [
      'that is damaged',
      () => Promise.reject(new SwarmError('MALFORMED', 'It is damaged: <img src=x>')),
      'MALFORMED'
    ],
    [
      'that is sealed with other words',
      () => Promise.reject(new SwarmError('PASSPHRASE', 'Wrong.')),
      'PASSPHRASE'
    ],
    ['that is of another network', async () => ({ ...FOUND, network: 'main' }), '“main”'],
    ['that runs elsewhere', async () => FOUND, 'runs elsewhere'],
    ['that is here already', async () => ({ ...FOUND, peer: ME }), 'here already']
  ] as const)('%s changes nothing, and the page says why', async (_, open, words) => {
    const { erased, init } = keeping()
    const module = new FakeModule()
    const page = mount({ module, init })
    await click(page.app, '#consent-hire')
    await panelOf(page, open)
    module.swarm.update({ peers: PEERS })
    await look(page)
    const failure = await shown(page.app, '#identity-error')
    expect(textOf(failure)).toContain(words)
    expect(failure.querySelector('img')).toBeNull()
    expect(find(page.app, '#found')).toBeUndefined()
    expect(erased).toEqual([])
    expect(module.inits).toHaveLength(1)
    expect(page.swarm.calls).not.toContain('stop')
  })

  it('that is huge is not even read', async () => {
    const page = await running()
    const read = vi.fn(async () => FOUND)
    await panelOf(page, read)
    const bytes = vi.spyOn(Blob.prototype, 'arrayBuffer')
    await look(page, 300_000_000)
    expect(await failureOf(page)).toContain('300 MB')
    expect(bytes).not.toHaveBeenCalled()
    expect(read).not.toHaveBeenCalled()
    bytes.mockRestore()
  })

  it('can be taken up where the one that was here has moved away', async () => {
    const { erased, init } = keeping()
    const module = new FakeModule()
    module.failWith = new SwarmError('MOVED', 'This identity was moved.')
    const page = mount({ module, init })
    await click(page.app, '#consent-hire')
    await shown(page.app, '#start-error')
    await panelOf(page, async () => FOUND)
    expect(find(page.app, '#move')).toBeUndefined()
    await look(page)
    await shown(page.app, '#found')
    module.failWith = undefined
    await click(page.app, '#take-up')
    await shown(page.app, '#state')
    expect(erased).toEqual(['local'])
  })
})

describe('erasing', () => {
  it('waits for the word, finishes the work, ends own jobs, and leaves the page without a node', async () => {
    const { erased, init } = keeping()
    const page = mount({ init })
    await click(page.app, '#consent-start')
    await shown(page.app, '#state')
    page.swarm.submit('matmul-i8', {})
    await panelOf(page, async () => FOUND)
    expect(find(page.app, '#erase:disabled')).toBeDefined()
    fill(page.app, '#erase-word', 'erase')
    await shown(page.app, '#erase:disabled')
    fill(page.app, '#erase-word', 'ERASE')
    await click(page.app, '#erase:enabled')
    await shown(page.app, '#erased')
    expect(page.swarm.calls.filter((call) => call === 'finish' || call === 'stop').slice(0, 2)).toEqual([
      'finish',
      'stop'
    ])
    expect(page.swarm.submitted[0]?.cancelled).toBe(1)
    expect(erased).toEqual(['all'])
    expect(localStorage.length).toBe(0)
    expect((await navigator.locks.query()).held?.filter(({ name }) => name === 'swarmharness')).toEqual([])
  })

  it('that fails says so', async () => {
    const data = { eraseNode: async () => {}, eraseAll: () => Promise.reject(new Error('The disk is gone.')) }
    const page = mount({ init: { data } })
    await click(page.app, '#consent-hire')
    await panelOf(page, async () => FOUND)
    fill(page.app, '#erase-word', 'ERASE')
    await click(page.app, '#erase:enabled')
    expect(textOf(await shown(page.app, '#keeper-error'))).toContain('The disk is gone.')
  })
})
