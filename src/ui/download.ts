/** Lets the browser save bytes or text as a file. */
export function saveAs(name: string, content: Blob): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has the blob once the click is handled; a minute is more than it takes.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}

/** Amounts as text, arrays as lists. */
export function jsonBlob(value: unknown): Blob {
  const text = JSON.stringify(
    value,
    (_, part: unknown) =>
      typeof part === 'bigint'
        ? String(part)
        : ArrayBuffer.isView(part) && !(part instanceof DataView)
          ? Array.from(part as Float32Array) // any typed array: all are lists of numbers
          : part,
    1
  )
  return new Blob([text], { type: 'application/json' })
}
