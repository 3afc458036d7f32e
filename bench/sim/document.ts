import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const DOCS = join(import.meta.dirname, '..', '..', 'docs')

/** Replaces what stands between the markers of a simulation in a page of docs, and its picture. */
export function writeSection(
  name: string,
  tables: readonly string[],
  picture?: string,
  file = 'SIMULATION.md'
): void {
  const page = join(DOCS, file)
  mkdirSync(join(DOCS, 'images'), { recursive: true })
  if (picture !== undefined) {
    writeFileSync(join(DOCS, 'images', `${name}.svg`), picture)
  }
  const text = [...tables, ...(picture === undefined ? [] : [`![${name}](images/${name}.svg)`])].join('\n\n')
  const begin = `<!-- ${name}: written by the bench -->`
  const end = `<!-- end of ${name} -->`
  const before = existsSync(page) ? readFileSync(page, 'utf8') : ''
  const from = before.indexOf(begin)
  const to = before.indexOf(end)
  if (from === -1 || to < from) {
    throw new Error(`docs/${file} lacks the markers "${begin}" and "${end}".`)
  }
  writeFileSync(page, `${before.slice(0, from + begin.length)}\n${text}\n${before.slice(to)}`)
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}
