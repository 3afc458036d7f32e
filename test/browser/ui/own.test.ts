import { afterEach, describe, expect, it, vi } from 'vitest'
import { page } from 'vitest/browser'
import { OwnPanel } from '../../../src/ui/own-panel.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { ME, PEERS } from '../../fixtures/fake-swarm.ts'
import { click, find, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(unmountAll)

const ROWS = Array.from({ length: 300 }, (_, seq) => ({
  seq,
  id: `bafy${seq}`,
  kind: seq === 0 ? ('genesis' as const) : ('escrow' as const),
  at: 1_700_000_000_000,
  balance: 10_000_000n - BigInt(seq),
  change: seq === 0 ? 10_000_000n : -1n,
  witnesses: seq === 299 ? [ME] : []
}))

const THEIRS = { network: 'main', peer: PEERS[1]?.peer ?? ME, records: [] }

async function opened(change: Partial<Awaited<ReturnType<OwnPanel['reader']>>> = {}) {
  const page = await running()
  const panel = await shown(page.app, 'own-panel')
  if (!(panel instanceof OwnPanel)) throw new Error('no panel')
  const read: string[] = []
  panel.reader = async () => ({
    readLedger: async ({ peer }) => {
      read.push(peer)
      return ROWS
    },
    readEscrows: async () => [],
    checkLedger: async () => undefined,
    encodeLedgerFile: () => Uint8Array.of(1, 2, 3),
    openLedgerFile: () => THEIRS,
    ...change
  })
  expect(find(page.app, '#records')).toBeUndefined()
  await click(page.app, '#own > summary')
  return { ...page, read }
}

describe('the ledger', () => {
  it('is read when it is opened: newest records first, with what they changed and who votes on them', async () => {
    const { app, read } = await opened()
    const table = await shown(app, '#records')
    expect(read).toEqual([ME])
    const rows = [...table.querySelectorAll('tbody tr')]
    expect(rows).toHaveLength(200)
    const [first] = rows
    expect(first === undefined ? '' : textOf(first)).toMatch(/^299 Escrow .*-1 µcr 9,999,701 µcr …XuQeMe01$/)
    expect(textOf(await shown(app, '#own .soft'))).toContain('signed')
  })

  it.each([
    ['a list of records on a phone, which scrolls down only', 360, 'none'],
    ['a table where there is room', 1280, 'table-header-group']
  ])('is %s', async (_, width, head) => {
    await page.viewport(width, 800)
    const huge = -1234567890123456789012345678901234567890n
    const many = ROWS.slice(0, 4).map((row) => ({ ...row, witnesses: Array.from({ length: 7 }, () => ME) }))
    const escrow = { id: 'bafy', at: 0, amount: -huge, payees: [{ peer: ME, max: 1n }], frees: 0 }
    const rows = width > 1000 ? many : many.map((row) => ({ ...row, change: huge, balance: -huge }))
    const { app } = await opened({
      readLedger: async () => rows,
      readEscrows: async () => [width > 1000 ? { ...escrow, amount: 1n } : escrow]
    })
    if (width < 1000) await click(app, '#tab-own')
    for (const id of ['records', 'escrows']) {
      const table = await shown(app, `#${id}`, (element) => element.checkVisibility())
      const { clientWidth = 0, scrollWidth } = table.parentElement ?? {}
      expect(scrollWidth, id).toBeLessThanOrEqual(clientWidth)
      const { tHead } = table instanceof HTMLTableElement ? table : {}
      expect(tHead && getComputedStyle(tHead).display, id).toBe(head)
    }
    await page.viewport(1280, 800)
  })

  it('is checked here, and a fault is said with its place, as text', async () => {
    const good = await opened()
    await click(good.app, '#check-ledger')
    await shown(good.app, '#ledger-check', (element) => textOf(element).startsWith('All holds'))
    await unmountAll()
    const fault = { seq: 7, code: 'BAD_SIGNATURE', message: '<img src=x onerror=alert(1)>' }
    const bad = await opened({ checkLedger: async () => fault })
    await click(bad.app, '#check-ledger')
    const verdict = await shown(bad.app, '#ledger-check[data-fault="BAD_SIGNATURE"]')
    expect(textOf(verdict)).toContain('Record 7')
    expect(textOf(verdict)).toContain('<img src=x')
    expect(verdict.querySelector('img')).toBeNull()
  })

  it('is saved as a file', async () => {
    const names: string[] = []
    const clicks = vi.spyOn(HTMLAnchorElement.prototype, 'click').mockImplementation(function (
      this: HTMLAnchorElement
    ) {
      names.push(this.download)
    })
    const { app } = await opened()
    await click(app, '#export-ledger')
    await expect.poll(() => names).toEqual(['XuQeMe01-local.ledger'])
    clicks.mockRestore()
  })

  it('that cannot be read says why', async () => {
    const { app } = await opened({
      readLedger: () => Promise.reject(new SwarmError('CORRUPT', 'The store is damaged.'))
    })
    expect(textOf(await shown(app, '#own-error'))).toContain('CORRUPT')
  })

  it('shows what is set aside, for whom and until when; or that nothing is', async () => {
    const escrow = {
      id: 'bafyescrow',
      at: 1_700_000_000_000,
      amount: 1_234n,
      payees: PEERS.slice(1).map(({ peer }) => ({ peer, max: 617n })),
      frees: Date.UTC(2030, 1, 3, 12)
    }
    const { app } = await opened({ readEscrows: async () => [escrow] })
    const row = textOf(await shown(app, '#escrows [data-escrow="bafyescrow"]'))
    expect(row).toContain('1,234 µcr …1prov001 …1prov002')
    expect(row).toContain('2/3/30')
    await unmountAll()
    const none = await opened()
    expect(textOf(await shown(none.app, '#escrows'))).toContain('No open escrow')
  })

  it('that has just come here is said to be for looking at', async () => {
    const last = { ...ROWS[1], kind: 'closed' } as (typeof ROWS)[number] & { kind: 'closed' }
    const { app } = await opened({ readLedger: async () => [...ROWS, last] })
    await shown(app, '#arriving')
  })
})

/** As a person who picks it. */
async function pick(root: ParentNode, file: File, size = file.size): Promise<void> {
  const input = await shown(root, '#ledger-file')
  if (!(input instanceof HTMLInputElement)) throw new Error('no input')
  const picked = new DataTransfer()
  picked.items.add(file)
  input.files = picked.files
  const [given] = input.files
  if (given !== undefined) Object.defineProperty(given, 'size', { value: size, configurable: true })
  input.dispatchEvent(new Event('change', { bubbles: true }))
}

/** A new one each time: what one test makes of it no other sees. */
const theirFile = () => new File([Uint8Array.of(1)], '<img src=x>.ledger')

describe('a ledger file of anybody', () => {
  it('is checked and shown in the place of the own one, and that one again', async () => {
    const read: string[] = []
    const { app } = await opened({
      readLedger: async ({ peer }) => {
        read.push(peer)
        return peer === ME ? ROWS : ROWS.slice(0, 3)
      }
    })
    await shown(app, '#records')
    await pick(app, theirFile())
    const note = await shown(app, `#of-file[data-peer="${THEIRS.peer}"]`)
    expect(textOf(note)).toContain('<img src=x>.ledger')
    expect(textOf(note)).toContain('“main”')
    expect(note.querySelector('img')).toBeNull()
    await shown(app, '#ledger-check', (verdict) => textOf(verdict).startsWith('All holds'))
    await shown(app, '#records', (table) => table.querySelectorAll('tbody tr').length === 3)
    expect(find(app, '#export-ledger')).toBeUndefined()
    await click(app, '#own-again')
    await shown(app, '#records', (table) => table.querySelectorAll('tbody tr').length === 200)
    expect(textOf(await shown(app, '#ledger-check'))).toBe('')
    expect(find(app, '#of-file')).toBeUndefined()
    expect(read).toEqual([ME, THEIRS.peer, ME])
  })

  it('that does not hold: the first fault is named, and none of it is shown', async () => {
    const { app } = await opened({
      checkLedger: async () => ({ seq: 12, code: 'BAD_SIGNATURE', message: 'Wrong.' })
    })
    await shown(app, '#records')
    await pick(app, theirFile())
    const verdict = await shown(app, '#ledger-check[data-fault="BAD_SIGNATURE"]')
    expect(textOf(verdict)).toContain('Record 12')
    expect(find(app, '#records')).toBeUndefined()
    expect(find(app, '#reading')).toBeUndefined()
  })

  it('that does not hold as a whole names no record', async () => {
    const { app } = await opened({
      checkLedger: async () => ({ seq: undefined, code: 'WRONG_NETWORK', message: 'Of another.' })
    })
    await pick(app, theirFile())
    const verdict = await shown(app, '#ledger-check[data-fault="WRONG_NETWORK"]')
    expect(textOf(verdict)).toBe('It does not hold (WRONG_NETWORK): Of another.')
  })

  it('that is damaged, or huge and then not even read, leaves the own one as it was', async () => {
    const { app } = await opened({
      openLedgerFile: () => {
        throw new SwarmError('MALFORMED', 'This is no ledger file.')
      }
    })
    await shown(app, '#records')
    await pick(app, theirFile())
    expect(textOf(await shown(app, '#own-error'))).toContain('no ledger file')
    const bytes = vi.spyOn(Blob.prototype, 'arrayBuffer')
    await pick(app, theirFile(), 300_000_000)
    await shown(app, '#own-error', (note) => textOf(note).includes('300 MB'))
    expect(bytes).not.toHaveBeenCalled()
    bytes.mockRestore()
    expect(find(app, '#of-file')).toBeUndefined()
    await shown(app, '#records')
  })

  it('that takes long to check gives way to the one that was picked after it', async () => {
    const slow = Promise.withResolvers<undefined>()
    let checks = 0
    const { app } = await opened({
      checkLedger: () => (++checks === 1 ? slow.promise : Promise.resolve(undefined)),
      readLedger: async ({ network }) => (network === 'second' ? ROWS.slice(0, 2) : ROWS),
      openLedgerFile: (file) => ({ ...THEIRS, network: file.length === 1 ? 'first' : 'second' })
    })
    await shown(app, '#records')
    await pick(app, theirFile())
    await expect.poll(() => checks).toBe(1)
    await pick(app, new File([Uint8Array.of(1, 2)], 'b.ledger'))
    const both = (table: HTMLElement) => table.querySelectorAll('tbody tr').length === 2
    await shown(app, '#records', both)
    slow.resolve(undefined)
    await slow.promise
    await shown(app, '#own-again')
    await shown(app, '#records', both)
  })
})
