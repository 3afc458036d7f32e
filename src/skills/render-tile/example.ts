import type { Scene } from './scene.ts'

/** A room without a ceiling: balls of every material on a floor of two triangles, a lamp, a glass pyramid. */
export const exampleScene = (): Scene => ({
  camera: { from: [0, 1.6, 6.5], to: [0, 0.8, 0], angle: 34 },
  sky: { bottom: [0.9, 0.92, 1], top: [0.25, 0.45, 0.9] },
  materials: [
    { kind: 'diffuse', colour: [0.55, 0.53, 0.5] },
    { kind: 'diffuse', colour: [0.75, 0.2, 0.15] },
    { kind: 'metal', colour: [0.9, 0.75, 0.45], fuzz: 0.05 },
    { kind: 'glass', colour: [0.98, 1, 0.98], index: 1.5 },
    { kind: 'light', colour: [3.2, 2.7, 2] },
    { kind: 'diffuse', colour: [0.2, 0.45, 0.3] },
    { kind: 'metal', colour: [0.85, 0.87, 0.9], fuzz: 0 }
  ],
  spheres: [
    { centre: [-1.6, 0.8, -0.4], radius: 0.8, material: 1 },
    { centre: [0, 0.7, 0.6], radius: 0.7, material: 3 },
    { centre: [1.6, 0.8, -0.4], radius: 0.8, material: 2 },
    { centre: [0.1, 1, -2.2], radius: 1, material: 6 },
    { centre: [-0.9, 0.25, 1.6], radius: 0.25, material: 5 },
    { centre: [0.95, 0.3, 1.5], radius: 0.3, material: 1 },
    { centre: [-3.2, 4, 1], radius: 1.5, material: 4 }
  ],
  triangles: [
    { a: [-20, 0, -20], b: [-20, 0, 20], c: [20, 0, 20], material: 0 },
    { a: [-20, 0, -20], b: [20, 0, 20], c: [20, 0, -20], material: 0 },
    { a: [2.2, 0, 1.2], b: [3, 0, 0.6], c: [2.6, 0.9, 0.9], material: 5 },
    { a: [3, 0, 0.6], b: [2.4, 0, 0.2], c: [2.6, 0.9, 0.9], material: 5 },
    { a: [2.4, 0, 0.2], b: [2.2, 0, 1.2], c: [2.6, 0.9, 0.9], material: 5 }
  ]
})
