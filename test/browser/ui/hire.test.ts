import * as fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { formatAmount } from '../../../src/ui/format.ts'
import { applyJobEvent, logLine, NEW_JOB, shouldAnnounce } from '../../../src/ui/job-model.ts'
import { randomInt8 } from '../../../src/ui/random-array.ts'
import { arraysOf, checksum, isMatrixResult } from '../../../src/ui/result-values.ts'
import { SwarmError } from '../../../src/wire/index.ts'
import { PEERS, RECEIPT } from '../../fixtures/fake-swarm.ts'
import { click, fill, find, type Mounted, running, shown, textOf, unmountAll } from './mount.ts'

afterEach(unmountAll)

const GOOD = { m: '8', k: '16', n: '4', seed: '7', budget: '100' }
const provider = PEERS[1]?.peer ?? RECEIPT.jobId

describe('the form', () => {
  it('sends nothing it refuses, says why beside the field, and puts the focus there', async () => {
    const { app, swarm } = await running()
    await shown(app, '#job-form')
    fill(app, '#k', '0')
    fill(app, '#budget', '-1')
    await click(app, '#submit-job')
    await shown(app, '#k[aria-invalid="true"]')
    const field = find(app, '#k')
    expect(field?.getAttribute('aria-describedby')).toContain('k-error')
    expect(textOf(await shown(app, '#k-error'))).toContain('at least 1')
    expect(textOf(await shown(app, '#budget-error'))).toContain('at least 1')
    const root = field?.getRootNode()
    await expect.poll(() => (root instanceof ShadowRoot ? root.activeElement : null)).toBe(field)
    expect(swarm.submitted).toEqual([])
  })

  it('submits sizes, seeded matrices and budget, with the warning beside it', async () => {
    const { app, swarm } = await running()
    await shown(app, '#job-form')
    for (const [field, value] of Object.entries(GOOD)) fill(app, `#${field}`, value)
    await click(app, '#submit-job')
    await shown(app, '#job')
    const [job] = swarm.submitted
    expect(job?.skill).toBe('matmul-i8')
    expect(job?.options).toEqual({ budget: 100n })
    expect(job?.input).toMatchObject({ m: 8, k: 16, n: 4, a: randomInt8(128, 7) })
    const panel = find(app, 'hire-panel')
    expect(panel?.shadowRoot?.textContent).toContain('Providers can see your input')
  })

  it('sends what it shows, whatever a hand had picked before', async () => {
    const { app, swarm } = await running()
    const source = await shown(app, '#a-source')
    if (!(source instanceof HTMLSelectElement)) throw new Error('no choice')
    for (const picked of ['example', 'random']) {
      source.value = picked
      source.dispatchEvent(new Event('change'))
    }
    await click(app, '#fill-example')
    await expect.poll(() => source.value).toBe('example')
    await click(app, '#submit-job')
    await shown(app, '#job')
    const product = swarm.skills.find(({ name }) => name === 'matmul-i8')
    expect(swarm.submitted[0]?.input).toEqual(product?.example())
  })

  it('says what the job costs before anything is paid, however large the form begins', async () => {
    const { app, swarm } = await running()
    for (const [name, field] of [
      ['matmul-i8', '#m'],
      ['knn-i8', '#database-rows']
    ]) {
      await click(app, `#skill-${name}`)
      await shown(app, field ?? '')
      const line = textOf(await shown(app, '#price'))
      await click(app, '#submit-job')
      const job = swarm.submitted.at(-1)
      const price = swarm.skills.find((skill) => skill.name === name)?.price(job?.input)
      expect(line).toBe(`Price: ${formatAmount(price ?? 0n)}`)
      await job?.cancel()
      await shown(app, '#run-sample[aria-disabled="false"]')
    }
    expect(swarm.quoted).toEqual([])
  })

  it('shows what submit() refuses as text', async () => {
    const { app, swarm } = await running()
    await shown(app, '#run-sample')
    swarm.failNext = new SwarmError('BUDGET_TOO_SMALL', 'Raise the budget to <i>34</i> µcr.')
    await click(app, '#run-sample')
    const error = await shown(app, '#submit-error')
    expect(textOf(error)).toContain('Raise the budget to <i>34</i> µcr.')
    expect(textOf(error)).toContain('BUDGET_TOO_SMALL')
  })
})

describe('a job', () => {
  async function sample(): Promise<Mounted & { job: Mounted['swarm']['submitted'][number] }> {
    const page = await running()
    await click(page.app, '#run-sample')
    await shown(page.app, '#job')
    const [job] = page.swarm.submitted
    if (job === undefined) throw new Error('nothing was submitted')
    return { ...page, job }
  }

  it('goes from events to progress, result and receipt', async () => {
    const { app, job } = await sample()
    const peer = RECEIPT.providers[0]?.peer
    if (peer === undefined) throw new Error('the receipt names a provider')
    job.emit(
      { type: 'queued', price: 34n, units: 4 },
      { type: 'assigned', unit: 0, provider: peer },
      { type: 'verified', unit: 0, provider: peer },
      { type: 'progress', done: 1, of: 4 }
    )
    const bar = await shown(app, '#job-progress', (element) => element.getAttribute('max') === '4')
    expect(bar instanceof HTMLProgressElement ? bar.position : undefined).toBe(0.25)
    expect((await shown(app, '#job')).dataset.state).toBe('running')

    job.succeed({ c: Int32Array.from({ length: 6 }, (_, index) => index - 3), m: 2, n: 3 })
    await shown(app, '#job[data-state="done"]')
    const result = await shown(app, '#job-result', (element) => (element.dataset.sha256 ?? '').length === 64)
    expect(textOf(result)).toContain('2 × 3')
    const cells = [...result.querySelectorAll('td')].map((cell) => textOf(cell))
    expect(cells).toEqual(['-3', '-2', '-1', '0', '1', '2'])
    const receipt = await shown(app, '#job-receipt')
    expect(receipt.dataset).toMatchObject({ price: '34', paid: '34', refund: '0' })
    expect(textOf(receipt)).toContain(RECEIPT.escrows[0])
    expect(textOf(receipt)).toContain(RECEIPT.settles[0])
    expect(receipt.querySelectorAll('tbody tr')).toHaveLength(1)
    expect(find(app, '#job-cancel')).toBeUndefined()
    await shown(app, '#run-sample[aria-disabled="false"]')
  })

  it('can be cancelled', async () => {
    const { app, job } = await sample()
    await click(app, '#job-cancel')
    await shown(app, '#job[data-state="cancelled"]')
    expect(job.cancelled).toBe(1)
    await shown(app, '#run-sample[aria-disabled="false"]')
  })

  it('that fails says why, with its code', async () => {
    const { app, job } = await sample()
    job.fail(new SwarmError('NO_PROVIDER', 'No provider was found in 30 s. Open a second tab.'))
    const error = await shown(app, '#job-error')
    expect(textOf(error)).toContain('No provider was found')
    expect(textOf(error)).toContain('NO_PROVIDER')
    await shown(app, '#run-sample[aria-disabled="false"]')
  })

  it('whose result cannot be added up says why, and shows it all the same', async () => {
    const { app, job } = await sample()
    const digest = vi.spyOn(crypto.subtle, 'digest')
    digest.mockRejectedValueOnce(new DOMException('There is no memory for it.', 'OperationError'))
    job.succeed({ c: Int32Array.of(5), m: 1, n: 1 })
    const error = await shown(app, '#sum-error')
    expect(textOf(error)).toContain('no memory for it')
    expect(textOf(await shown(app, '#job-result'))).toContain('1 × 1')
    expect((await shown(app, '#job-result')).dataset.sha256).toBe('')
    digest.mockRestore()
  })

  it('leaves a line among the earlier jobs when the next one starts', async () => {
    const { app, job, swarm } = await sample()
    job.succeed({ c: new Int32Array(1), m: 1, n: 1 })
    await click(app, '#run-sample[aria-disabled="false"]')
    expect(textOf(await shown(app, '#earlier-jobs'))).toContain('Done')
    expect(swarm.submitted).toHaveLength(2)
  })

  it('keeps a bounded log of hostile reasons', () => {
    let model = NEW_JOB
    for (let unit = 0; unit < 1_000; unit++) {
      // A test provider: the brand stands for a check of real ids.
      model = applyJobEvent(model, {
        type: 'retried',
        unit,
        provider: provider as (typeof PEERS)[number]['peer'],
        reason: 'x'.repeat(10_000)
      })
    }
    expect(model.log).toHaveLength(200)
    expect(model.logDropped).toBe(800)
    expect(model.log.map(logLine).join('').length).toBeLessThan(100_000)
  })

  it('is announced at each new state, else every two seconds', () => {
    const progress = applyJobEvent(NEW_JOB, { type: 'progress', done: 1, of: 9 })
    expect(shouldAnnounce(undefined, progress, 0)).toBe(true)
    expect(shouldAnnounce({ state: 'running', at: 0 }, progress, 1_999)).toBe(false)
    expect(shouldAnnounce({ state: 'running', at: 0 }, progress, 2_000)).toBe(true)
    expect(shouldAnnounce({ state: 'queued', at: 0 }, progress, 1)).toBe(true)
  })
})

describe('matrices', () => {
  it('are the same for a seed, of the length asked, and use the whole range', () => {
    fc.assert(
      fc.property(fc.nat(4_000), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (length, seed) => {
        const matrix = randomInt8(length, seed)
        expect(matrix).toHaveLength(length)
        expect(matrix).toEqual(randomInt8(length, seed))
      })
    )
    expect(new Set(randomInt8(20_000, 1)).size).toBe(256)
    expect(randomInt8(64, 1)).not.toEqual(randomInt8(64, 2))
  })

  it('have the checksum of their bytes', async () => {
    // sha256 of 01 00 00 00, by coreutils
    const sum = '67abdd721024f0ff4e0b3f4c2fc13bc5bad42d0b7851d456d88d203d15aaa450'
    expect(await checksum({ c: Int32Array.of(1), m: 1, n: 1 })).toBe(sum)
  })

  it('and all other arrays of an output are saved as what is added up', async () => {
    const nearest = { ids: Uint32Array.of(7, 9), scores: Int32Array.of(-1, 5), top: 2 }
    const saved = new Uint8Array(await new Blob(arraysOf(nearest)).arrayBuffer())
    expect(new Int32Array(saved.buffer)).toEqual(Int32Array.of(7, 9, -1, 5))
    expect(await checksum(nearest)).toBe(await checksum({ saved }))
  })

  it('of the wrong shape are not shown as one', () => {
    for (const value of [null, 1, {}, { c: [1], m: 1, n: 1 }, { c: new Int32Array(3), m: 2, n: 2 }]) {
      expect(isMatrixResult(value)).toBe(false)
    }
  })
})
