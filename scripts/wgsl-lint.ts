/**
 * Refuses WGSL loops that parameters could make endless: a data-dependent loop ran 25 s with no watchdog and took
 * the GPU process with it. Allowed is `for` alone, counting up by a constant to a bound, or down by one from it.
 * A bound is a literal, a `const`, or a `let` made of such by `+ * / % >> &`, `min` or `clamp`: what has an upper
 * limit that can be told from the text.
 */

/** The most rounds that one loop may be able to take. */
export const ROUNDS_MAX = 2 ** 24

export interface LoopFault {
  /** 1-based. */
  readonly line: number
  readonly message: string
}

interface Token {
  readonly text: string
  readonly line: number
}

/** Upper limits of names; `undefined`: none is known. One map a block. */
type Scope = Map<string, number | undefined>

const TOKEN =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|\s+|0[xX][0-9a-fA-F.pP+-]+[iufh]?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[iufh]?|[A-Za-z_]\w*|\+\+|--|<<=|>>=|[-+*/%&|^=!<>]=|&&|\|\||<<|>>|->|./g
const WRITES = new Set(['=', '++', '--', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>='])

function tokensOf(wgsl: string): Token[] {
  const tokens: Token[] = []
  let line = 1
  for (const [text] of wgsl.matchAll(TOKEN)) {
    if (!/^(\s|\/\/|\/\*)/.test(text)) {
      tokens.push({ text, line })
    }
    line += text.split('\n').length - 1
  }
  return tokens
}

/** All loops of a shader for which no upper limit of rounds can be told. */
export function findUnboundedLoops(wgsl: string): LoopFault[] {
  return new Linter(tokensOf(wgsl)).run()
}

class Linter {
  readonly #tokens: readonly Token[]
  readonly #scopes: Scope[] = [new Map()]
  readonly #faults: LoopFault[] = []
  /** Names that the next block brings with it: parameters, or a loop's counter. */
  #coming: Scope = new Map()

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  run(): LoopFault[] {
    for (let at = 0; at < this.#tokens.length; at++) {
      this.#look(at)
    }
    return this.#faults
  }

  #look(at: number): void {
    switch (this.#text(at)) {
      case '{':
        this.#scopes.push(this.#coming)
        this.#coming = new Map()
        break
      case '}':
        this.#scopes.pop()
        break
      case 'loop':
      case 'while':
        this.#fault(at, `\`${this.#text(at)}\` may run for ever: write a \`for\` with a bound.`)
        break
      case 'for':
        this.#loop(at)
        break
      case 'fn':
        this.#parameters(at)
        break
      case 'const':
      case 'let':
      case 'var':
      case 'override':
        this.#declaration(at)
    }
  }

  /** Only what cannot change has a limit: `const` and `let`. */
  #declaration(at: number): void {
    const isFixed = this.#text(at) === 'const' || this.#text(at) === 'let'
    let name = at + 1
    if (this.#text(name) === '<') {
      name = this.#closing(name, '<', '>') + 1
    }
    const end = this.#find(name, ';')
    const equals = this.#find(name, '=')
    const limit = isFixed && equals < end ? this.#limit(equals + 1, end) : undefined
    // a `for` declares its counter before its block begins
    const scope = this.#text(at - 1) === '(' ? this.#coming : this.#scopes.at(-1)
    scope?.set(this.#text(name), limit)
  }

  #parameters(at: number): void {
    const open = at + 2
    const close = this.#closing(open, '(', ')')
    for (let i = open; i < close; i++) {
      if (this.#text(i + 1) === ':') {
        this.#coming.set(this.#text(i), undefined)
      }
    }
  }

  #loop(at: number): void {
    const open = at + 1
    const close = this.#closing(open, '(', ')')
    const first = this.#find(open, ';')
    const second = this.#find(first + 1, ';')
    const counter = this.#text(first + 1)
    const problem =
      this.#boundProblem(open, first, second, close, counter) ?? this.#writeProblem(close, counter)
    if (problem !== undefined) {
      this.#fault(at, problem)
    }
  }

  #boundProblem(open: number, first: number, second: number, close: number, counter: string) {
    const compare = this.#text(first + 2)
    const step = this.#text(second + 2)
    if (!/^[A-Za-z_]\w*$/.test(counter) || this.#text(second + 1) !== counter) {
      return 'its condition and its step must begin with one counter.'
    }
    if (compare === '<' || compare === '<=') {
      const by = step === '++' ? 1 : step === '+=' ? this.#limit(second + 3, close) : undefined
      if (by === undefined || by < 1 || (step === '+=' && close !== second + 4)) {
        return `${counter} must grow by a constant: ${counter}++ or ${counter} += 4u.`
      }
      return this.#tooMany(this.#limit(first + 3, second))
    }
    if (compare === '>' && step === '--') {
      const equals = this.#find(open, '=')
      return this.#tooMany(equals < first ? this.#limit(equals + 1, first) : undefined)
    }
    return `its condition must be ${counter} < bound (or ${counter} > 0 with ${counter}--).`
  }

  #tooMany(limit: number | undefined): string | undefined {
    if (limit === undefined) {
      return 'its bound is neither a constant nor a clamped parameter: use clamp(x, low, high) or min(x, high).'
    }
    return limit > ROUNDS_MAX ? `it may take ${limit} rounds; at most ${ROUNDS_MAX} are allowed.` : undefined
  }

  #writeProblem(close: number, counter: string): string | undefined {
    const end = this.#closing(close + 1, '{', '}')
    for (let i = close + 1; i < end; i++) {
      const isWritten = this.#text(i) === counter && WRITES.has(this.#text(i + 1))
      const isAddress = this.#text(i) === '&' && !/^[\w)\]]/.test(this.#text(i - 1))
      const isPointedAt = isAddress && this.#text(i + 1) === counter
      if ((isWritten && this.#text(i - 1) !== '.') || isPointedAt) {
        return `its body writes ${counter}.`
      }
    }
    return undefined
  }

  /** The upper limit of the expression in [from, to), if one can be told. */
  #limit(from: number, to: number): number | undefined {
    const expression = new Expression(
      this.#tokens.slice(from, to).map(({ text }) => text),
      (name) => this.#limitOf(name)
    )
    return expression.limit()
  }

  #limitOf(name: string): number | undefined {
    const scope = this.#scopes.findLast((each) => each.has(name))
    return scope?.get(name)
  }

  #text(at: number): string {
    return this.#tokens[at]?.text ?? ''
  }

  #find(from: number, text: string): number {
    const found = this.#tokens.findIndex((token, i) => i >= from && token.text === text)
    return found < 0 ? this.#tokens.length : found
  }

  #closing(open: number, left: string, right: string): number {
    let depth = 0
    for (let i = open; i < this.#tokens.length; i++) {
      depth += this.#text(i) === left ? 1 : this.#text(i) === right ? -1 : 0
      if (depth === 0) {
        return i
      }
    }
    return this.#tokens.length
  }

  #fault(at: number, message: string): void {
    this.#faults.push({ line: this.#tokens[at]?.line ?? 0, message: `This loop is refused: ${message}` })
  }
}

/** Upper limits of unsigned expressions, by WGSL's precedence as far as it is let in here. */
class Expression {
  readonly #tokens: readonly string[]
  readonly #limitOf: (name: string) => number | undefined
  #at = 0

  constructor(tokens: readonly string[], limitOf: (name: string) => number | undefined) {
    this.#tokens = tokens
    this.#limitOf = limitOf
  }

  limit(): number | undefined {
    const value = this.#expression()
    return this.#at === this.#tokens.length ? value : undefined
  }

  /** Of `a & b` the smaller limit; of anything that may wrap below zero or is not known here, none. */
  #expression(): number | undefined {
    let value = this.#sum()
    while (this.#next === '&' || this.#next === '>>') {
      const operator = this.#take()
      const right = this.#sum()
      value = operator === '&' ? least([value, right]) : value
    }
    return value
  }

  #sum(): number | undefined {
    let value = this.#product()
    while (this.#next === '+' || this.#next === '-') {
      const isSum = this.#take() === '+'
      const right = this.#product()
      value = isSum && value !== undefined && right !== undefined ? value + right : undefined
    }
    return value
  }

  #product(): number | undefined {
    let value = this.#term()
    while (this.#next === '*' || this.#next === '/' || this.#next === '%') {
      const operator = this.#take()
      const right = this.#term()
      if (operator === '*') {
        value = value !== undefined && right !== undefined ? value * right : undefined
      } else if (operator === '%') {
        value = least([value, right])
      } else {
        value = right === undefined ? undefined : value
      }
    }
    return value
  }

  #term(): number | undefined {
    const token = this.#take()
    if (token === '(') {
      const value = this.#expression()
      this.#take()
      return this.#bare(value)
    }
    if (/^\d/.test(token)) {
      return /^(0x[0-9a-f]+|\d+)[iu]?$/i.test(token) ? Number(token.replace(/[iu]$/, '')) : undefined
    }
    if (this.#next === '(') {
      return this.#call(token)
    }
    return this.#bare(/^[A-Za-z_]/.test(token) ? this.#limitOf(token) : undefined)
  }

  #call(name: string): number | undefined {
    this.#take()
    const limits: Array<number | undefined> = []
    while (this.#next !== ')' && this.#next !== undefined) {
      limits.push(this.#expression())
      if (this.#next !== ',' && this.#next !== ')') {
        this.#skip() // not understood: no limit, but go on behind it
        limits[limits.length - 1] = undefined
      }
      if (this.#next === ',') {
        this.#take()
      }
    }
    this.#take()
    switch (name) {
      case 'min':
        return this.#bare(least(limits))
      case 'clamp':
        return this.#bare(limits[2])
      case 'max':
        return this.#bare(
          limits.includes(undefined) ? undefined : Math.max(...limits.map((limit) => limit ?? 0))
        )
      case 'u32':
      case 'i32':
        return this.#bare(limits[0])
      default:
        return this.#bare(undefined)
    }
  }

  /** A member or an element of something is not that something. */
  #bare(value: number | undefined): number | undefined {
    let limit = value
    while (this.#next === '.' || this.#next === '[') {
      limit = undefined
      const isElement = this.#take() === '['
      if (isElement) {
        this.#expression()
      }
      this.#take()
    }
    return limit
  }

  #skip(): void {
    let depth = 0
    for (let token = this.#next; token !== undefined; token = this.#next) {
      if (depth === 0 && (token === ',' || token === ')')) {
        return
      }
      depth += token === '(' ? 1 : token === ')' ? -1 : 0
      this.#take()
    }
  }

  get #next(): string | undefined {
    return this.#tokens[this.#at]
  }

  #take(): string {
    return this.#tokens[this.#at++] ?? ''
  }
}

function least(limits: ReadonlyArray<number | undefined>): number | undefined {
  const known = limits.filter((limit) => limit !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}
