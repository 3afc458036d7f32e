import { decodeStrict, type Network, SIGNED_PAYLOAD_MAX, type Signed, statement } from '../wire/index.ts'
import { verifyStatement } from './envelope.ts'
import type { Evidence } from './voting.ts'

/** Releases and votes that came along with records. @throws WireError for a forged one */
export async function readEvidence(envelopes: readonly Signed[], network: Network): Promise<Evidence> {
  const evidence: { releases: Evidence['releases'][number][]; votes: Evidence['votes'][number][] } = {
    releases: [],
    votes: []
  }
  for (const envelope of envelopes) {
    const { kind } = decodeStrict(envelope.payload, statement, SIGNED_PAYLOAD_MAX)
    if (kind === 'release') {
      evidence.releases.push(await verifyStatement(envelope, kind, network))
    } else if (kind === 'vote') {
      evidence.votes.push(await verifyStatement(envelope, kind, network))
    }
  }
  return evidence
}
