import { html, nothing } from 'lit'
import type { SwarmCore } from '../api.ts'
import type { OpenedIdentity } from '../core.ts'
import { saveAs } from './download.ts'
import { PageElement } from './element.ts'
import { describeFailure, type Failure, PageError } from './failure.ts'
import { failureNote } from './failure-note.ts'
import { formStyles } from './form-styles.ts'
import { formatBytes, formatCredits, formatInteger, shortId } from './format.ts'
import { glyph } from './glyph.ts'
import type { Keeper, Kept } from './keeper.ts'
import { base } from './styles.ts'
import { texts } from './texts/index.ts'

/** What looks into an identity file: of `core.ts`, which a test replaces. */
export interface IdentityReader {
  openIdentity(file: Uint8Array, passphrase?: string): Promise<OpenedIdentity>
  defaultNetwork(): string
}

const PASSPHRASE_LEAST = 10
/** As in `wire/`: larger files are not even read. */
const FILE_MAX = 256 * 1024 * 1024

/** The node's identity in this browser: moves it away, takes one up, erases everything. */
export class IdentityPanel extends PageElement {
  static override properties = {
    keeper: { attribute: false },
    swarm: { attribute: false },
    network: { attribute: false },
    kept: { attribute: false },
    hasLeft: { attribute: false },
    reader: { attribute: false },
    found: { state: true },
    problem: { state: true },
    word: { state: true },
    failure: { state: true },
    busy: { state: true }
  }
  static override styles = [base, formStyles]

  declare keeper: Keeper
  /** The node, if it runs in this tab. */
  declare swarm: SwarmCore | undefined
  /** What the address asks for; undefined: what follows from the page's host. */
  declare network: string | undefined
  declare kept: Kept
  /** It was closed here earlier; its file may be nowhere. */
  declare hasLeft: boolean
  declare reader: () => Promise<IdentityReader>
  declare found: OpenedIdentity | undefined
  /** What is wrong with the new passphrase. */
  declare problem: string | undefined
  /** What was typed to confirm the erasing. */
  declare word: string
  declare failure: Failure | undefined
  declare busy: boolean

  constructor() {
    super()
    this.reader = () => import('../core.ts')
    this.kept = { kind: 'here' }
    this.hasLeft = false
    this.word = ''
    this.busy = false
  }

  protected override render() {
    switch (this.kept.kind) {
      case 'here':
        return this.#renderHere()
      case 'moved':
        return this.#renderMoved(this.kept)
      case 'erased':
        return this.#renderErased()
    }
  }

  #renderHere() {
    const { identity } = texts
    return html`
      <details class="card fold" id="identity" ?open=${this.hasLeft}>
        <summary class="refuge"><h2>${identity.title}</h2></summary>
        <div class="stack" aria-busy=${String(this.busy)}>
          <p class="soft">${identity.text}</p>
          ${this.swarm === undefined && !this.hasLeft ? nothing : this.#renderMove()} ${this.#renderBring()} ${this.#renderErase()}
          ${failureNote(this.failure, 'identity-error')}
        </div>
      </details>
    `
  }

  #renderMove() {
    const { identity } = texts
    const { title, text, button } = this.hasLeft ? identity.left : identity.move
    const least = formatInteger(PASSPHRASE_LEAST)
    return html`
      <form id="move-form" class="stack" novalidate @submit=${this.#onMove}>
        <h3>${title}</h3>
        <p>${text}</p>
        <div class="fields">
          ${this.#renderPassphrase('move-passphrase', identity.passphrase, 'new-password')}
          ${this.#renderPassphrase('move-repeat', identity.repeat, 'new-password')}
        </div>
        <p class="soft small" id="passphrase-hint">${identity.passphraseHint(least)}</p>
        <p class="invalid" id="passphrase-error" role="alert">${this.problem}</p>
        <div class="row"><button id="move" aria-disabled=${String(this.busy)}>${glyph('down')} ${button}</button></div>
      </form>
    `
  }

  #renderPassphrase(id: string, label: string, kind: 'new-password' | 'current-password') {
    return html`
      <div>
        <label for=${id}>${label}</label>
        <input id=${id} type="password" autocomplete=${kind} />
      </div>
    `
  }

  #renderBring() {
    const { bring } = texts.identity
    return html`
      <form id="bring-form" class="stack" novalidate @submit=${this.#onLook}>
        <h3>${bring.title}</h3>
        <p>${bring.text}</p>
        <div class="fields">
          <div>
            <label for="identity-file">${bring.file}</label>
            <input id="identity-file" type="file" @change=${this.#forget} />
          </div>
          ${this.#renderPassphrase('open-passphrase', bring.passphrase, 'current-password')}
        </div>
        <div class="row"><button id="look" aria-disabled=${String(this.busy)}>${bring.look}</button></div>
        ${this.found === undefined ? nothing : this.#renderFound(this.found)}
      </form>
    `
  }

  #renderFound(found: OpenedIdentity) {
    const { bring } = texts.identity
    const { peer, records, balance } = found
    return html`
      <div id="found" class="stack" role="status" data-peer=${peer} data-records=${records}>
        <p>${bring.found(shortId(peer), formatInteger(records), formatCredits(balance))}</p>
        <p>${bring.replaces}</p>
        <div class="row">
          <button type="button" id="take-up" aria-disabled=${String(this.busy)} @click=${() => this.#takeUp(found)}>
            ${bring.button}
          </button>
        </div>
      </div>
    `
  }

  #renderErase() {
    const { erase } = texts.identity
    return html`
      <form id="erase-form" class="stack" novalidate @submit=${this.#onErase}>
        <h3>${erase.title}</h3>
        <p>${erase.text}</p>
        <div class="fields">
          <div>
            <label for="erase-word">${erase.confirm(erase.word)}</label>
            <input id="erase-word" autocomplete="off" spellcheck="false" .value=${this.word} @input=${this.#onWord} />
          </div>
        </div>
        <div class="row">
          <button id="erase" aria-disabled=${String(this.busy)} ?disabled=${this.word.trim() !== erase.word}>${erase.button}</button>
        </div>
      </form>
    `
  }

  #renderMoved({ file, name, isSafe }: Extract<Kept, { kind: 'moved' }>) {
    const { moved } = texts.identity
    return html`
      <section class="card stack" id="moved" role="status" data-safe=${String(isSafe)}>
        <h2>${moved.title}</h2>
        <p>${isSafe ? moved.safe : moved.text}</p>
        <div class="row">
          <button id="save-again" class="primary" @click=${() => saveAs(name, file)}>${moved.save}</button>
          ${
            isSafe
              ? nothing
              : html`<button id="have-file" @click=${() => this.#act(() => this.keeper.fileIsSafe())}>${moved.have}</button>`
          }
        </div>
        ${failureNote(this.failure, 'identity-error')}
      </section>
    `
  }

  #renderErased() {
    const { erased } = texts.identity
    return html`
      <section class="card stack" id="erased" role="status">
        <h2>${erased.title}</h2>
        <p>${erased.text}</p>
        <div class="row"><button id="load-again" class="primary" @click=${() => location.reload()}>${erased.button}</button></div>
      </section>
    `
  }

  #onMove(event: Event): void {
    event.preventDefault()
    const [passphrase, again] = [this.#typed('move-passphrase'), this.#typed('move-repeat')]
    const { tooShort, different } = texts.identity
    this.problem =
      passphrase.length < PASSPHRASE_LEAST
        ? tooShort(formatInteger(PASSPHRASE_LEAST))
        : passphrase === again
          ? undefined
          : different
    if (this.problem !== undefined) return
    void this.#act(async () => {
      await this.keeper.moveAway(passphrase)
      const { kept } = this.keeper
      if (kept.kind === 'moved') saveAs(kept.name, kept.file)
    })
  }

  #onLook(event: Event): void {
    event.preventDefault()
    this.#forget()
    void this.#act(async () => {
      const file = this.#file()
      if (file === undefined) return
      const { bring } = texts.identity
      if (file.size > FILE_MAX) throw new PageError(bring.tooLarge(formatBytes(file.size)))
      const reader = await this.reader()
      const bytes = new Uint8Array(await file.arrayBuffer())
      const found = await reader.openIdentity(bytes, this.#typed('open-passphrase'))
      this.#refuse(found, this.network ?? reader.defaultNetwork())
      this.found = found
    })
  }

  /** What is no damage of the file, but must not be taken up here and now. */
  #refuse({ peer, network }: OpenedIdentity, ours: string): void {
    const { bring } = texts.identity
    const { swarm } = this
    if (network !== ours) throw new PageError(bring.otherNetwork(network, ours))
    if (peer === swarm?.peer) throw new PageError(bring.same)
    if (swarm?.status.peers.some((each) => each.peer === peer)) throw new PageError(bring.livesElsewhere)
  }

  #takeUp(found: OpenedIdentity): void {
    void this.#act(async () => {
      this.#refuse(found, found.network) // it may have come up meanwhile
      await this.keeper.takeUp(found.identity)
      this.found = undefined
    })
  }

  #onErase(event: Event): void {
    event.preventDefault()
    if (this.word.trim() !== texts.identity.erase.word) return
    void this.#act(() => this.keeper.erase())
  }

  readonly #onWord = ({ target }: Event): void => {
    if (target instanceof HTMLInputElement) this.word = target.value
  }

  readonly #forget = (): void => {
    this.found = undefined
    this.failure = undefined
  }

  #typed(id: string): string {
    const input = this.renderRoot.querySelector(`#${id}`)
    return input instanceof HTMLInputElement ? input.value : ''
  }

  #file(): File | undefined {
    const input = this.renderRoot.querySelector('#identity-file')
    return input instanceof HTMLInputElement ? input.files?.[0] : undefined
  }

  async #act(act: () => Promise<void>): Promise<void> {
    this.failure = undefined
    this.busy = true
    try {
      await act()
    } catch (error) {
      this.failure = describeFailure(error)
    }
    this.busy = false
  }
}

customElements.define('identity-panel', IdentityPanel)
