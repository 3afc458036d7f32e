/** Payload through the job protocol, both ways, beside a bare libp2p stream and a raw data channel. */
import { type TwoTabs, withTwoTabs } from './pages/tabs.ts'
import { type BenchOptions, type BenchResult, interleave, ratio, row } from './report.ts'

export const title = 'Payload through the job protocol, a bare libp2p stream and a raw RTCDataChannel'

const RUNS = 7
const BYTES = 16 * 1024 * 1024
const OF_STREAM_MIN = 0.7

export async function run({ runs = RUNS, log }: BenchOptions): Promise<BenchResult> {
  return withTwoTabs(async (tabs) => {
    const { requester, provider } = tabs
    await connectRaw(tabs)
    const noted = async (name: string, figure: Promise<number | undefined>) => {
      const value = (await figure) ?? Number.NaN
      log(`${name}: ${value.toPrecision(4)} MB/s`)
      return value
    }
    const figures = await interleave(runs, {
      jobUp: () =>
        noted(
          'job up',
          requester.evaluate((n) => window.peer?.sendJob(n), BYTES)
        ),
      streamUp: () =>
        noted(
          'stream up',
          requester.evaluate((n) => window.peer?.sendBare(n), BYTES)
        ),
      rawUp: () => noted('channel up', rawTransfer(requester, provider)),
      jobDown: () =>
        noted(
          'job down',
          requester.evaluate((n) => window.peer?.receiveJob(n), BYTES)
        ),
      streamDown: () =>
        noted(
          'stream down',
          requester.evaluate((n) => window.peer?.receiveBare(n), BYTES)
        ),
      rawDown: () => noted('channel down', rawTransfer(provider, requester))
    })
    const pairs = {
      job: { up: figures.jobUp, down: figures.jobDown },
      stream: { up: figures.streamUp, down: figures.streamDown },
      datachannel: { up: figures.rawUp, down: figures.rawDown }
    }
    const rows = Object.entries(pairs).flatMap(([name, { up, down }]) => [
      row(`transfer.${name}`, 'MB/s', [...up, ...down]),
      row(`transfer.${name}-up`, 'MB/s', up),
      row(`transfer.${name}-down`, 'MB/s', down)
    ])
    const named = (name: string) => rows.find((each) => each.name === name) ?? row(name, 'MB/s', [Number.NaN])
    const ratios = [
      ratio('transfer.of-stream', named('transfer.job'), named('transfer.stream')),
      ratio('transfer.of-stream-up', named('transfer.job-up'), named('transfer.stream-up')),
      ratio('transfer.of-stream-down', named('transfer.job-down'), named('transfer.stream-down')),
      ratio('transfer.of-datachannel', named('transfer.job'), named('transfer.datachannel'))
    ]
    return {
      rows,
      ratios,
      failures: ratios
        .filter(({ name, value }) => name.startsWith('transfer.of-stream') && value < OF_STREAM_MIN)
        .map(({ name, value }) => `${name} is ${value.toFixed(2)}; at least ${OF_STREAM_MIN}`)
    }
  }, log)
}

async function connectRaw({ requester, provider }: TwoTabs): Promise<void> {
  const offer = await requester.evaluate(() => window.peer?.raw.offer())
  const answer = await provider.evaluate((sdp) => window.peer?.raw.answer(sdp ?? ''), offer)
  await requester.evaluate((sdp) => window.peer?.raw.accept(sdp ?? ''), answer)
}

async function rawTransfer(from: TwoTabs['requester'], to: TwoTabs['provider']): Promise<number | undefined> {
  const received = to.evaluate((bytes) => window.peer?.raw.receive(bytes), BYTES)
  const rate = await from.evaluate((bytes) => window.peer?.raw.send(bytes), BYTES)
  await received
  return rate
}
