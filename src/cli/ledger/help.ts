export const HELP = `Usage: swarmharness ledger COMMAND [options]

Checks and shows a ledger that was exported, from the page or from a data folder. Needs no network.

  export FOLDER        the ledger of the node that keeps its data there, while it does not run
  verify FILE ...      every signature, certificate, link, sum and escrow; names the first fault.
                       Several files: also whether anybody forked, and where all credit is.
                       Of a file that starts at a checkpoint: who vouches for what was before
  show FILE            every record, up to the first fault
  balance FILE         what is spendable and what is in escrow
  receipts FILE        what was paid and earned, with the settle of each payment
  replay SETTLE FILE   reckons the Shapley split of a settle (its CID) again, byte for byte

  --network NAME       export: local (default) or main
  --out FILE           export: where the ledger goes
  --at TIME            balance: at this time (ISO 8601). Default now
  --json               the result as one line of JSON; amounts are µcr as text
  --help               this text

Amounts are microcredits (µcr). Status: 0 all is right, 1 a fault was found, 2 the command cannot be run.`
