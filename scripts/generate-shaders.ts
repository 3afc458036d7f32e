import { readdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/**
 * Writes `shaders/generated.ts`: all WGSL as strings in one module, so that Vite, vitest and plain Node load
 * the same bytes. Sorted by name, line ends normalised: the same sources give the same module everywhere.
 */
const folder = new URL('../shaders/', import.meta.url)
const names = (await readdir(folder)).filter((name) => name.endsWith('.wgsl')).sort()
const entries = await Promise.all(
  names.map(async (name) => {
    const wgsl = (await readFile(new URL(name, folder), 'utf8')).replaceAll('\r\n', '\n')
    return `  ${JSON.stringify(name.slice(0, -'.wgsl'.length))}: ${JSON.stringify(wgsl)}`
  })
)
const module = `// Written by scripts/generate-shaders.ts. Do not edit.\nexport const WGSL = {\n${entries.join(',\n')}\n} as const\n`
const target = new URL('generated.ts', folder)
const present = await readFile(target, 'utf8').catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT') {
    return undefined
  }
  throw error
})
if (present !== module) {
  await writeFile(target, module) // left alone when it is right: watchers need not rebuild
  console.log(`${names.length} shaders written to ${fileURLToPath(target)}`)
}
