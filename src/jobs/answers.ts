import { chunksOf } from './chunks.ts'
import { PROGRESS_INTERVAL } from './constants.ts'
import type { ProviderStream } from './session-init.ts'

/** A unit's result, as its provider signed it. */
export interface SignedResult {
  readonly bytes: Uint8Array
  readonly hash: Uint8Array
  readonly signature: Uint8Array
}

/** @param isSent its bytes go along; else they stay here, to be fetched */
export async function sendResult(
  stream: Pick<ProviderStream, 'send'>,
  index: number,
  { bytes, hash, signature }: SignedResult,
  isSent: boolean
): Promise<void> {
  const chunks = isSent ? [...chunksOf(bytes)] : []
  const outputs = chunks.map((chunk) => ({ t: 'output' as const, index, ...chunk }))
  const last = { t: 'result' as const, index, size: bytes.byteLength, hash, signature }
  for (const output of outputs.slice(0, -1)) {
    await stream.send(output)
  }
  await stream.send([...outputs.slice(-1), last])
}

/** Says how far a unit is, now and then, until `signal`. */
export function tellProgress(
  stream: Pick<ProviderStream, 'send'>,
  index: number,
  signal: AbortSignal
): (share: number) => void {
  let told = 0
  return (share) => {
    const now = performance.now()
    if (share < 1 && now - told >= PROGRESS_INTERVAL && !signal.aborted) {
      told = now
      stream.send({ t: 'progress', index, permille: Math.floor(share * 1000) }).catch(() => {}) // the stream's end is seen by its reader
    }
  }
}
