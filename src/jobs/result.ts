import type { PrivateKey } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import {
  DOMAINS,
  encode,
  type PeerIdString,
  resultStatement,
  sha256,
  sign,
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

/** @throws WireError `BAD_SIGNATURE` */
export async function checkResultSignature(
  of: ResultOf,
  hash: Uint8Array,
  signature: Uint8Array
): Promise<void> {
  const payload = encode({ ...of, hash })
  await verifySigned({ payload, signature }, DOMAINS.result, resultStatement, (statement) => statement.author)
}
