import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkSettleCase } from '../../../src/credit/voting.ts'
import type { PeerIdString, Release } from '../../../src/wire/index.ts'
import { accepts, network, PEERS } from '../../fixtures/economy.ts'
import { LONG, RUNS } from '../../fixtures/invariant-runs.ts'
import { HOUR, NOW } from '../../fixtures/ledger-swarm.ts'
import { UnsignedChain } from '../../fixtures/unsigned-chain.ts'

test(
  'a witness lets no settle pay below a lodged receipt or what it has voted for, nor before its time without releases',
  LONG,
  () => {
    const [payer, one, two, self] = PEERS as [PeerIdString, PeerIdString, PeerIdString, PeerIdString]
    const amount = fc.bigInt(0n, 20n)
    const channel = fc.record({
      max: fc.bigInt(1n, 20n),
      payout: amount,
      voted: amount,
      lodged: fc.option(amount, { nil: undefined }),
      released: fc.option(amount, { nil: undefined })
    })
    fc.assert(
      fc.property(
        fc.tuple(channel, channel),
        fc.integer({ min: -2, max: 2 }),
        fc.boolean(),
        (channels, afterClose, hasVoted) => {
          const capped = channels.map((each) => ({
            ...each,
            payout: each.payout % (each.max + 1n)
          }))
          const chain = new UnsignedChain(network, payer, NOW)
          chain.append({
            kind: 'seat',
            ts: NOW,
            body: { members: [self], quorum: 1, unsure: true, votes: [] }
          })
          const payees = capped.map(({ max }, i) => ({ peer: i === 0 ? one : two, max, on: [] }))
          const total = payees.reduce((sum, { max }) => sum + max, 0n)
          const tClose = NOW + HOUR
          const escrow = chain.append({
            kind: 'escrow',
            ts: NOW,
            body: {
              jobId: new Uint8Array(16),
              parent: null,
              payees,
              amount: total,
              inputRoot: new Uint8Array(32),
              witnesses: [self],
              quorum: 1,
              tClose,
              nonce: new Uint8Array(16)
            }
          })
          const open = chain.head.openEscrows.get(escrow.id.toString())
          if (open === undefined) {
            throw new Error('the escrow is open')
          }
          const payouts = capped.map(({ payout }) => payout)
          const settle = chain.append({
            kind: 'settle',
            ts: NOW,
            body: {
              escrow: escrow.id,
              payouts,
              refund: total - payouts.reduce((sum, payout) => sum + payout, 0n),
              split: {
                form: 'units',
                seed: new Uint8Array(32),
                inputs: payouts.map((weight, index) => ({ weight, payees: [index], quorum: 1 }))
              }
            }
          })
          const releases = capped.flatMap(({ released }, i): Release[] =>
            released === undefined
              ? []
              : [
                  {
                    v: 1,
                    net: network.hash,
                    author: i === 0 ? one : two,
                    ts: NOW,
                    kind: 'release',
                    escrow: escrow.id,
                    amount: released
                  }
                ]
          )
          const lodged = new Map(
            capped.flatMap(({ lodged }, i) => (lodged === undefined ? [] : [[i, lodged]]))
          )
          const stands = accepts(() =>
            checkSettleCase({
              settle,
              body: {
                escrow: escrow.id,
                payouts,
                refund: 0n,
                split: { form: 'units', seed: new Uint8Array(32), inputs: [] }
              },
              escrow: open,
              self,
              evidence: { releases, votes: [] },
              lodged,
              voted: hasVoted ? capped.map(({ voted }) => voted) : undefined,
              now: tClose + afterClose,
              network: network.parameters
            })
          )
          const isPaid = capped.every(({ payout, lodged = 0n }) => payout >= lodged)
          const isReleased = capped.every(
            ({ payout, max, released }) => payout === max || (released !== undefined && payout >= released)
          )
          const isAsVoted = capped.every(({ payout, voted }) => payout >= voted)
          expect(stands).toBe(isPaid && (hasVoted ? isAsVoted : afterClose >= 0 || isReleased))
        }
      ),
      RUNS
    )
  }
)
