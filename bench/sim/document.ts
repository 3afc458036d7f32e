import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const DOCS = join(import.meta.dirname, '..', '..', 'docs')
const PAGE = join(DOCS, 'SIMULATION.md')

/** Replaces what stands between the markers of a simulation in docs/SIMULATION.md, and its picture. */
export function writeSection(name: string, tables: readonly string[], picture: string): void {
  mkdirSync(join(DOCS, 'images'), { recursive: true })
  writeFileSync(join(DOCS, 'images', `${name}.svg`), picture)
  const text = [...tables, `![${name}](images/${name}.svg)`].join('\n\n')
  const begin = `<!-- ${name}: written by the bench -->`
  const end = `<!-- end of ${name} -->`
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : ''
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from === -1 || to < from) {
    throw new Error(`docs/SIMULATION.md lacks the markers "${begin}" and "${end}".`)
  }
  writeFileSync(PAGE, `${page.slice(0, from + begin.length)}\n${text}\n${page.slice(to)}`)
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}
