import type { KnownSkills } from '../../api.ts'

/** The skills of this build as values with types: `swarm.submit(matmulI8, { a, b, m, k, n })`. */

export const matmulI8: KnownSkills['matmul-i8'] = { name: 'matmul-i8' }
export const matmulF32: KnownSkills['matmul-f32'] = { name: 'matmul-f32' }
export const knnI8: KnownSkills['knn-i8'] = { name: 'knn-i8' }
export const mandelbrot: KnownSkills['mandelbrot'] = { name: 'mandelbrot' }
export const renderTile: KnownSkills['render-tile'] = { name: 'render-tile' }
