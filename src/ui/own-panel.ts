import { css, html, nothing } from 'lit'
import type { LedgerExport, SwarmCore } from '../api.ts'
import type { EscrowRow, LedgerFault, LedgerRow } from '../core.ts'
import { saveAs } from './download.ts'
import { PageElement } from './element.ts'
import { describeFailure, type Failure, PageError } from './failure.ts'
import { failureNote } from './failure-note.ts'
import { formStyles } from './form-styles.ts'
import { formatAmount, formatBytes, formatInteger, formatTime, shortId } from './format.ts'
import { glyph } from './glyph.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

/** What reads a ledger: of `core.ts`, which a test replaces. */
export interface LedgerReader {
  readLedger(ledger: LedgerExport): Promise<readonly LedgerRow[]>
  readEscrows(ledger: LedgerExport): Promise<readonly EscrowRow[]>
  checkLedger(ledger: LedgerExport): Promise<LedgerFault | undefined>
  encodeLedgerFile(ledger: LedgerExport): Uint8Array<ArrayBuffer>
  openLedgerFile(file: Uint8Array): LedgerExport
}

/** A ledger out of a file: for looking at. */
interface Opened {
  readonly name: string
  readonly ledger: LedgerExport
}

/** Newest records that are shown; the file has all of them. */
const SHOWN = 200
/** As in `wire/`: larger files are not even read. */
const FILE_MAX = 256 * 1024 * 1024

/**
 * This node's own books: its records and their witnesses, checked here, saved as a file. Read when it is opened. A
 * ledger file of whomever is checked and shown in their place.
 */
export class OwnPanel extends PageElement {
  static override properties = {
    swarm: { attribute: false },
    reader: { attribute: false },
    rows: { state: true },
    escrows: { state: true },
    checked: { state: true },
    file: { state: true },
    failure: { state: true },
    open: { state: true }
  }
  static override styles = [
    base,
    formStyles,
    css`
      :host {
        container-type: inline-size;
      }
      .scroll {
        max-height: 26rem;
        overflow: auto;
      }
      thead th {
        position: sticky;
        top: 0;
        background: var(--card);
      }
      td:not(.mono) {
        white-space: nowrap;
      }
      @container (max-width: 44rem) {
        thead {
          display: none;
        }
        table,
        tbody {
          display: block;
        }
        tr {
          display: grid;
          grid-template-columns: minmax(0, 1fr) auto;
          gap: 0 var(--space-4);
          padding: var(--space-3) 0;
          border-bottom: 1px solid var(--line);
        }
        td {
          grid-column: 1 / -1;
          padding: 0;
          border: 0;
          text-align: start;
        }
        td:not(.mono) {
          white-space: normal;
        }
        td[data-label]::before {
          content: attr(data-label) ' ';
          color: var(--ink-soft);
          font: var(--text-s) var(--sans);
        }
        .kind,
        .change {
          order: -3;
          font-weight: 600;
        }
        .time {
          order: -2;
        }
        .place {
          order: -1;
        }
        .kind,
        .time {
          grid-column: 1;
        }
        .change,
        .place {
          grid-column: 2;
          text-align: end;
        }
        .after {
          text-align: start;
        }
      }
    `
  ]

  declare swarm: SwarmCore
  declare reader: () => Promise<LedgerReader>
  declare rows: readonly LedgerRow[] | undefined
  declare escrows: readonly EscrowRow[] | undefined
  declare checked: { readonly records: number; readonly fault: LedgerFault | undefined } | undefined
  /** What is shown instead of the node's own. */
  declare file: Opened | undefined
  declare failure: Failure | undefined
  declare open: boolean

  constructor() {
    super()
    this.reader = () => import('../core.ts')
    this.open = false
  }

  protected override render() {
    const { own } = texts
    return html`
      <details class="card fold" id="own" @toggle=${this.#onToggle}>
        <summary class="refuge"><h2>${own.title}</h2></summary>
        ${this.open ? this.#renderBooks() : nothing}
      </details>
    `
  }

  #renderBooks() {
    const { own } = texts
    return html`
      <div class="stack">
        <p class="soft">${own.text}</p>
        ${this.file === undefined ? this.#renderActs() : this.#renderFile(this.file)}
        <div>
          <label for="ledger-file">${own.file.pick}</label>
          <input id="ledger-file" type="file" @change=${this.#onPick} />
        </div>
        <p id="ledger-check" role="status" data-fault=${this.checked?.fault?.code ?? ''}>${this.#verdict()}</p>
        ${failureNote(this.failure, 'own-error')}
        ${this.file === undefined && this.rows?.at(-1)?.kind === 'closed' ? html`<p id="arriving">${own.arriving}</p>` : nothing}
        ${this.escrows === undefined ? nothing : this.#renderEscrows(this.escrows)}
        ${
          this.rows === undefined
            ? this.failure === undefined && this.checked?.fault === undefined
              ? html`<p class="soft" id="reading">${own.reading}</p>`
              : nothing
            : this.#renderRows(this.rows)
        }
      </div>
    `
  }

  #renderActs() {
    const { own } = texts
    return html`
      <div class="row">
        <button id="check-ledger" @click=${() => this.#check()}>${own.check}</button>
        <button id="export-ledger" @click=${() => this.#export()}>${glyph('down')} ${own.export}</button>
        <button id="read-ledger" @click=${() => this.#read()}>${own.refresh}</button>
      </div>
    `
  }

  #renderFile({ name, ledger: { peer, network } }: Opened) {
    const { file } = texts.own
    return html`
      <div id="of-file" class="stack" data-peer=${peer}>
        <p role="status">${file.of(name.slice(0, 80), network)} <span class="mono">${peer}</span></p>
        <div class="row"><button id="own-again" @click=${() => this.#read()}>${file.back}</button></div>
      </div>
    `
  }

  #renderEscrows(escrows: readonly EscrowRow[]) {
    const { own } = texts
    if (escrows.length === 0) return html`<p id="escrows" class="soft">${own.noEscrows}</p>`
    return html`
      <h3 id="escrows-title">${own.escrows}</h3>
      <div class="scroll" tabindex="0" role="region" aria-labelledby="escrows-title">
        <table id="escrows">
          <thead>
            <tr>
              <th scope="col">${own.amount}</th>
              <th scope="col">${own.payees}</th>
              <th scope="col">${own.frees}</th>
            </tr>
          </thead>
          <tbody>
            ${escrows.map(
              ({ id, amount, payees, frees }) => html`
                <tr data-escrow=${id} title=${id}>
                  <td class="kind">${formatAmount(amount)}</td>
                  <td class="mono" data-label=${own.payees}>${idsOf(payees.map(({ peer }) => peer))}</td>
                  <td data-label=${own.frees}>${formatTime(frees)}</td>
                </tr>
              `
            )}
          </tbody>
        </table>
      </div>
    `
  }

  #renderRows(rows: readonly LedgerRow[]) {
    const { own } = texts
    if (rows.length === 0) return html`<p class="soft" id="no-records">${own.noRecords}</p>`
    return html`
      <div class="scroll" tabindex="0" role="region" aria-label=${own.records(formatInteger(rows.length))}>
        <table id="records">
          <thead>
            <tr>
              <th scope="col" class="number">${own.place}</th>
              <th scope="col">${own.kind}</th>
              <th scope="col">${own.time}</th>
              <th scope="col" class="number">${own.change}</th>
              <th scope="col" class="number">${own.balance}</th>
              <th scope="col">${own.witnesses}</th>
            </tr>
          </thead>
          <tbody>
            ${rows
              .slice(-SHOWN)
              .toReversed()
              .map((row) => this.#renderRow(row))}
          </tbody>
        </table>
      </div>
    `
  }

  #renderRow({ seq, id, kind, at, change, balance, witnesses }: LedgerRow) {
    const { own } = texts
    const kinds: Readonly<Record<string, string>> = own.kinds
    return html`
      <tr data-seq=${seq} data-kind=${kind} title=${id}>
        <td class="place number" data-label=${own.place}>${formatInteger(seq)}</td>
        <td class="kind">${kinds[kind] ?? kind}</td>
        <td class="time">${formatTime(at)}</td>
        <td class="change number">${formatAmount(change)}</td>
        <td class="after number" data-label=${own.balance}>${formatAmount(balance)}</td>
        <td class="mono" data-label=${own.witnesses}>${witnesses.length === 0 ? own.nobody : idsOf(witnesses)}</td>
      </tr>
    `
  }

  #verdict(): string {
    const { own } = texts
    if (this.checked === undefined) return ''
    const { records, fault } = this.checked
    if (fault === undefined) return own.holds(formatInteger(records))
    const why = texts.error.said(fault.code, fault.message).slice(0, 300)
    return fault.seq === undefined
      ? own.failsWhole(fault.code, why)
      : own.fails(formatInteger(fault.seq), fault.code, why)
  }

  #onToggle({ target }: Event): void {
    this.open = target instanceof HTMLDetailsElement && target.open
    if (this.open) void this.#read()
  }

  readonly #onPick = ({ target }: Event): void => {
    if (!(target instanceof HTMLInputElement)) return
    const [file] = target.files ?? []
    target.value = '' // the same one may be picked again
    if (file !== undefined) void this.#open(file)
  }

  /** What does not hold is not shown: only where, and why. */
  #open(file: File): Promise<void> {
    return this.#act(async (reader) => {
      if (file.size > FILE_MAX) throw new PageError(texts.identity.bring.tooLarge(formatBytes(file.size)))
      const ledger = reader.openLedgerFile(new Uint8Array(await file.arrayBuffer()))
      const opened = { name: file.name, ledger }
      this.file = opened
      this.rows = undefined
      this.escrows = undefined
      this.checked = undefined
      const fault = await this.#judge(reader, ledger, opened)
      if (fault === undefined) await this.#show(reader, ledger, opened)
    })
  }

  /** The node's own. */
  #read(): Promise<void> {
    if (this.file !== undefined) this.checked = undefined
    this.file = undefined
    return this.#act(async (reader) => this.#show(reader, await this.swarm.exportLedger(), undefined))
  }

  /** @param file that it is out of: meanwhile another may be wanted */
  async #show(reader: LedgerReader, ledger: LedgerExport, file: Opened | undefined): Promise<void> {
    const [rows, escrows] = [await reader.readLedger(ledger), await reader.readEscrows(ledger)]
    if (file !== this.file) return
    this.rows = rows
    this.escrows = escrows
  }

  #check(): Promise<void> {
    return this.#act(async (reader) => {
      await this.#judge(reader, await this.swarm.exportLedger(), undefined)
    })
  }

  /** @param file as of `#show` */
  async #judge(reader: LedgerReader, ledger: LedgerExport, file: Opened | undefined) {
    const fault = await reader.checkLedger(ledger)
    if (file === this.file) this.checked = { records: ledger.records.length, fault }
    return fault
  }

  #export(): Promise<void> {
    return this.#act(async (reader) => {
      const ledger = await this.swarm.exportLedger()
      const name = `${ledger.peer.slice(-8)}-${ledger.network}.ledger`
      saveAs(name, new Blob([reader.encodeLedgerFile(ledger)]))
    })
  }

  async #act(act: (reader: LedgerReader) => Promise<void>): Promise<void> {
    this.failure = undefined
    try {
      await act(await this.reader())
    } catch (error) {
      this.failure = describeFailure(error)
    }
  }
}

/** None of them is broken where a line ends. */
const idsOf = (peers: readonly string[]) =>
  peers.map((peer) => html`<span class="nowrap">${shortId(peer)}</span> `)

customElements.define('own-panel', OwnPanel)
