import { createHash } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Writes `shaders/generated.ts`: all WGSL as strings and all AssemblyScript as WebAssembly in base64, in one
 * module, so that Vite, vitest and plain Node load the same bytes. Sorted by name, line ends normalised: the
 * same sources give the same module everywhere. Left alone when nothing has changed: watchers need not
 * rebuild, and the compiler takes seconds to load.
 */
const FOLDER = new URL('../shaders/', import.meta.url)
const TARGET = new URL('generated.ts', FOLDER)
const WGSL_END = '.wgsl'
const ASSEMBLY_END = '.as.ts'
/** No runtime: kernels use memory at the offsets that their callers name. */
const OPTIONS = [
  ['--optimizeLevel', '3'],
  ['--shrinkLevel', '0'],
  ['--enable', 'simd'],
  ['--runtime', 'stub'],
  ['--noAssert'],
  ['--converge']
].flat()

const WASM_DOOR = `/** A module compiled from shaders/<name>.as.ts. */
export type WasmModule = keyof typeof WASM
/** SHA-256 of a module's binary, hex: the page names modules, and only workers load them. */
export const wasmHash = (module: WasmModule): string => WASM_SHA256[module]
/** The binary of a module. */
export const wasmBytes = (module: WasmModule): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(WASM[module]), (character) => character.charCodeAt(0))
`

const sources = await readSources()
const stamp = hashOf(new Map([...sources, ['door', WASM_DOOR]]))
const present = await readFile(TARGET, 'utf8').catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT') {
    return ''
  }
  throw error
})
if (!present.includes(stamp)) {
  await writeFile(TARGET, await generate(sources))
  console.log(`${sources.size} shaders written to ${fileURLToPath(TARGET)}`)
}

async function readSources(): Promise<Map<string, string>> {
  const names = (await readdir(FOLDER)).filter(
    (name) => name.endsWith(WGSL_END) || name.endsWith(ASSEMBLY_END)
  )
  const entries = names.sort().map(async (name): Promise<[string, string]> => {
    const text = await readFile(new URL(name, FOLDER), 'utf8')
    return [name, text.replaceAll('\r\n', '\n')]
  })
  return new Map(await Promise.all(entries))
}

/** Over everything that decides what is generated: the sources, this script and the compiler's version. */
function hashOf(texts: ReadonlyMap<string, string>): string {
  const { version }: { version: string } = createRequire(import.meta.url)('assemblyscript/package.json')
  const parts = [
    version,
    OPTIONS.join(' '),
    generate.toString(),
    withoutComments.toString(),
    ...[...texts].flat()
  ]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

async function generate(texts: ReadonlyMap<string, string>): Promise<string> {
  const wgsl: string[] = []
  const wasm: string[] = []
  const hashes: string[] = []
  for (const [name, text] of texts) {
    const isWgsl = name.endsWith(WGSL_END)
    const key = JSON.stringify(name.slice(0, -(isWgsl ? WGSL_END : ASSEMBLY_END).length))
    if (isWgsl) {
      wgsl.push(`  ${key}: ${JSON.stringify(withoutComments(text))}`)
    } else {
      const binary = await compile(name, texts)
      wasm.push(`  ${key}: '${Buffer.from(binary).toString('base64')}'`)
      hashes.push(`  ${key}: '${createHash('sha256').update(binary).digest('hex')}'`)
    }
  }
  return [
    '// Written by scripts/generate-shaders.ts. Do not edit.',
    `// ${stamp}`,
    `export const WGSL = {\n${wgsl.join(',\n')}\n} as const`,
    `const WASM_SHA256 = {\n${hashes.join(',\n')}\n} as const`,
    `/** Base64. */\nconst WASM = {\n${wasm.join(',\n')}\n} as const\n`,
    WASM_DOOR
  ].join('\n')
}

/** Pages load every variant: without comments and indents they are a fifth smaller. Lines stay where they were. */
function withoutComments(text: string): string {
  return text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, ''))
    .replace(/\/\/[^\n]*/g, '')
    .replace(/^[ \t]+|[ \t]+$/gm, '')
}

async function compile(name: string, texts: ReadonlyMap<string, string>): Promise<Uint8Array> {
  const { default: asc } = await import('assemblyscript/asc') // loaded only when there is something to compile
  let binary: Uint8Array | undefined
  const { error, stderr } = await asc.main([name, '--outFile', 'kernel.wasm', ...OPTIONS], {
    readFile: (path) => texts.get(path) ?? null, // a module may import from another one
    listFiles: () => [],
    writeFile: (_path, contents) => {
      binary = typeof contents === 'string' ? undefined : contents
    }
  })
  if (error !== null || binary === undefined) {
    throw new Error(`${name} does not compile:\n${stderr.toString()}`, { cause: error })
  }
  return binary
}
