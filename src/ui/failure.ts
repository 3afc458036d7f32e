import { texts } from './texts/index.ts'

/** An error as the page shows it: text, never markup. */
export interface Failure {
  readonly message: string
  readonly code: string | undefined
}

/** In the language of the page, where that knows the code. */
export const saidOf = ({ code, message }: Failure): string =>
  code === undefined ? message : texts.error.said(code, message)

/** What the page itself refuses: a sentence in its language, and no code. */
export class PageError extends Error {
  override readonly name = 'PageError'
}

const MESSAGE_MOST = 600

export function describeFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { message: texts.error.unknown, code: undefined }
  if (error instanceof PageError) return { message: error.message, code: undefined }
  const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name
  const message = error.message === '' ? texts.error.unknown : error.message
  return { message: message.slice(0, MESSAGE_MOST), code: code.slice(0, 64) }
}
