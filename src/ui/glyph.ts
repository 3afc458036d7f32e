import { html, svg, type TemplateResult } from 'lit'

/** Shapes that tell states apart without colour; the words stand beside them. */
const SHAPES = {
  dashed: svg`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2" stroke-dasharray="2.6 2.1" />`,
  half: svg`<circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="2" /><path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />`,
  full: svg`<circle cx="8" cy="8" r="7" fill="currentColor" />`,
  cross: svg`<path d="M3 3l10 10M13 3L3 13" stroke="currentColor" stroke-width="2.4" stroke-linecap="round" />`,
  bars: svg`<path d="M3.5 2h3v12h-3zM9.5 2h3v12h-3z" fill="currentColor" />`,
  play: svg`<path d="M3.5 1.8v12.4L14 8z" fill="currentColor" />`,
  square: svg`<path d="M3 3h10v10H3z" fill="currentColor" />`,
  flag: svg`<path d="M3 1.5v13M3 2.5h10l-2.5 3.5L13 9.5H3" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" stroke-linecap="round" />`,
  plus: svg`<path d="M8 2v12M2 8h12" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" />`,
  minus: svg`<path d="M2 8h12" stroke="currentColor" stroke-width="2.2" stroke-linecap="round" />`,
  down: svg`<path d="M8 1.5v9M4 7l4 4 4-4M2 14.5h12" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" />`,
  eye: svg`<path d="M1 8s2.6-4.5 7-4.5S15 8 15 8s-2.6 4.5-7 4.5S1 8 1 8z" fill="none" stroke="currentColor" stroke-width="1.6" /><circle cx="8" cy="8" r="2.2" fill="currentColor" />`
}

export type GlyphName = keyof typeof SHAPES

export function glyph(name: GlyphName): TemplateResult {
  return html`<svg class="glyph" viewBox="0 0 16 16" aria-hidden="true">${SHAPES[name]}</svg>`
}
