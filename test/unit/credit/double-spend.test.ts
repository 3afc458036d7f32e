import fc from 'fast-check'
import { expect, test } from 'vitest'
import { verifyEscrow } from '../../../src/credit/index.ts'
import { NETWORKS, networkOf, type Signed } from '../../../src/wire/index.ts'
import { TestChain } from '../../fixtures/chains.ts'
import { LedgerSwarm, NOW, type TestPeer } from '../../fixtures/ledger-swarm.ts'

const WITNESSES = 7
const BAD = 2

/**
 * Of seven witnesses two sign whatever they are shown. An author with two escrows for one place asks each honest
 * one in an order of its choice: at most one of the two is ever certified.
 */
test('two of seven bad witnesses do not make two certificates for one place', async () => {
  const network = await networkOf(NETWORKS.local)
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.boolean(), { minLength: WITNESSES, maxLength: WITNESSES }),
      fc.boolean(),
      async (firstGetsOne, asksAgain) => {
        const swarm = await LedgerSwarm.create()
        const honest: TestPeer[] = []
        for (let seed = 20; seed < 20 + WITNESSES - BAD; seed++) {
          honest.push(await swarm.add(seed))
        }
        const bad = await Promise.all([40, 41].map((seed) => TestChain.create(network, seed, NOW)))
        const author = await TestChain.create(network, 9, NOW)
        const members = [...honest, ...bad].map(({ peer }) => peer)
        await author.append({ kind: 'seat', ts: NOW, body: { members, quorum: 5, unsure: true, votes: [] } })
        const branches = await Promise.all(
          [1, 2].map(async (nonce) => {
            const branch = await TestChain.create(network, 9, NOW)
            for (const signed of author.signed.slice(1)) {
              await branch.take(signed)
            }
            const payee = await TestChain.create(network, 50 + nonce, NOW)
            const body = { witnesses: members, quorum: 5, nonce: new Uint8Array(16).fill(nonce) }
            const made = await branch.append(branch.escrowIntent([[payee.peer, 10_000_000n]], NOW, body))
            return { made, escrow: branch.signedAt(2), votes: [] as Signed[] }
          })
        )
        const ask = async (peer: TestPeer, branch: (typeof branches)[number]) => {
          const answer = await swarm.deliver(author.peer, peer.peer, {
            t: 'certify',
            record: branch.escrow,
            tail: [...author.signed],
            evidence: []
          })
          if (answer.t === 'vote') {
            branch.votes.push(answer.vote)
          } else {
            // once one of them has found the fork, the others refuse
            expect(answer.t === 'refused' ? answer.code : answer.t).toMatch(/^(conflict|FORK)$/)
          }
        }
        for (const [i, peer] of honest.entries()) {
          const order = firstGetsOne[i] ? branches : branches.toReversed()
          for (const branch of order) {
            await ask(peer, branch)
          }
        }
        if (asksAgain) {
          await Promise.all(honest.map((peer) => peer.restart()))
          for (const branch of branches) {
            const before = branch.votes.length
            branch.votes.length = 0
            for (const peer of honest) {
              await ask(peer, branch)
            }
            expect(branch.votes).toHaveLength(before)
          }
        }
        for (const branch of branches) {
          branch.votes.push(...(await Promise.all(bad.map((witness) => witness.vote(branch.made, NOW)))))
        }
        const certified = await Promise.allSettled(
          branches.map(({ escrow, votes }) => verifyEscrow({ escrow, votes }, network))
        )
        expect(certified.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1)
        await swarm.stop()
      }
    )
  )
})
