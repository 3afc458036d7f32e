/** Of the package: semantic versioning of what `index.ts` exports. Protocols have versions of their own in their ids. */
export const VERSION = '0.1.0'
