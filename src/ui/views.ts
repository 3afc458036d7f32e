/** The page's views: tabs on a narrow screen, columns on a wide one. */
export const VIEWS = ['contribute', 'see', 'hire', 'own'] as const
export type View = (typeof VIEWS)[number]

/** Where the columns begin; the styles of `live-view` and `app` know it too. */
export const WIDE = '(min-width: 56rem)'

/** Where a key leads from a tab (WAI-ARIA tabs); undefined: nowhere. */
export function viewAfter(view: View, key: string): View | undefined {
  const at = VIEWS.indexOf(view)
  switch (key) {
    case 'ArrowRight':
      return VIEWS[(at + 1) % VIEWS.length]
    case 'ArrowLeft':
      return VIEWS.at(at - 1)
    case 'Home':
      return VIEWS[0]
    case 'End':
      return VIEWS.at(-1)
    default:
      return undefined
  }
}
