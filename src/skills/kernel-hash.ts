import { wasmHash } from '../../shaders/generated.ts'
import { encode, sha256 } from '../wire/index.ts'
import type { Skill } from './skill.ts'

/**
 * SHA-256 (32 bytes) over the canonical DAG-CBOR of the manifest, all variants and the WebAssembly: what an
 * advert names. The built page has the hashes in the place of this file, without the kernels (vite.config.ts).
 */
export async function kernelHash(skill: Skill): Promise<Uint8Array<ArrayBuffer>> {
  const { manifest } = skill
  const variants = skill.variants.map(({ name, wgsl, needs }) => ({ name, wgsl, needs: [...needs] }))
  const wasm = skill.wasm === undefined ? null : wasmHash(skill.wasm.module)
  return sha256(encode({ manifest, variants, wasm }))
}
