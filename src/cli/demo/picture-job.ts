import type { JobReceipt, PeerIdString } from '../../index.ts'
import { type OnProgress, parseReceipt, stringifyReceipt } from './product-job.ts'
import type { Tab } from './tabs.ts'

export interface PictureJob {
  readonly skill: string
  readonly input: unknown
  readonly providers?: readonly PeerIdString[]
}

export interface PictureOutcome {
  /** The pixels, as the skill's output has them. */
  readonly bytes: Uint8Array
  readonly receipt: JobReceipt
  readonly seconds: number
  /** Times that more of the picture was there to be seen than before. */
  readonly steps: number
}

let reporters = 0

/** Submits the job in a tab, through the public API, and follows it. */
export async function runPictureInTab(
  tab: Tab,
  job: PictureJob,
  onProgress: OnProgress
): Promise<PictureOutcome> {
  reporters += 1
  const report = `reportPicture${reporters}`
  await tab.page.exposeFunction(report, onProgress)
  await tab.page.evaluate(`window.stringifyReceipt = ${stringifyReceipt}`)
  const { base64, receipt, seconds, steps } = await tab.page.evaluate(submitPicture, { job, report })
  return {
    bytes: new Uint8Array(Buffer.from(base64, 'base64')),
    receipt: parseReceipt(receipt),
    seconds,
    steps
  }
}

/** Runs in the page. */
async function submitPicture({ job, report }: { job: PictureJob; report: string }) {
  const { swarmharness: swarm, stringifyReceipt: stringify } = window
  if (swarm === undefined || stringify === undefined) {
    throw new Error('No node runs in this tab.')
  }
  const started = performance.now()
  const handle = swarm.submit<object>(job.skill, job.input, { providers: job.providers })
  const reporter = (window as unknown as Record<string, OnProgress>)[report] // exposed under this name just before
  let steps = 0
  let seen = 0
  for await (const event of handle) {
    if (event.type === 'progress') {
      reporter?.(event.done, event.of)
    } else if (event.type === 'verified') {
      const picture = Object.values(handle.partial() ?? {}).find((member) => ArrayBuffer.isView(member))
      const { buffer } = picture as Uint32Array<ArrayBuffer> // as the pixels below
      const filled = new Uint8Array(buffer).filter((byte) => byte > 0).length
      steps += filled > seen ? 1 : 0
      seen = filled
    }
  }
  const { value, receipt } = await handle.result
  const seconds = (performance.now() - started) / 1_000
  const pixels = Object.values(value).find((member) =>
    ArrayBuffer.isView(member)
  ) as ArrayBufferView<ArrayBuffer>
  const reader = new FileReader()
  const read = new Promise((resolve) => reader.addEventListener('load', resolve, { once: true }))
  reader.readAsDataURL(new Blob([pixels]))
  await read
  const [, base64 = ''] = String(reader.result).split(',')
  return { base64, receipt: stringify(receipt), seconds, steps }
}
