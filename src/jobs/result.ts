import type { PrivateKey } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import {
  DOMAINS,
  encode,
  type PeerIdString,
  resultStatement,
  type StepStatement,
  sha256,
  sign,
  stepStatement,
  verifySigned
} from '../wire/index.ts'

interface ResultOf {
  readonly escrow: CID
  readonly index: number
  readonly author: PeerIdString
}

/** Signs a result before its challenge is drawn: the provider can neither change nor deny it. */
export async function signResult(key: PrivateKey, of: ResultOf, result: Uint8Array) {
  const hash = await sha256(result)
  const { signature } = await sign(key, DOMAINS.result, { ...of, hash })
  return { hash, signature }
}

type StepOf = Omit<StepStatement, 'result'>

/** Signs a result of a pipeline by its part hash, and with it what it was made of. */
export async function signStep(key: PrivateKey, of: StepOf, result: Uint8Array): Promise<Uint8Array> {
  return (await sign(key, DOMAINS.result, { ...of, result })).signature
}

/** @throws WireError `BAD_SIGNATURE` */
export async function checkStepSignature(of: StepStatement, signature: Uint8Array): Promise<void> {
  await verifySigned(
    { payload: encode(of), signature },
    DOMAINS.result,
    stepStatement,
    ({ author }) => author
  )
}

/** @throws WireError `BAD_SIGNATURE` */
export async function checkResultSignature(
  of: ResultOf,
  hash: Uint8Array,
  signature: Uint8Array
): Promise<void> {
  const payload = encode({ ...of, hash })
  await verifySigned({ payload, signature }, DOMAINS.result, resultStatement, (statement) => statement.author)
}
