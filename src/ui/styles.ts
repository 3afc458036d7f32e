import { css } from 'lit'

/** Colours, type scale, spacing scale. Custom properties pass into every shadow root below the app. */
export const tokens = css`
  :root,
  :host {
    color-scheme: light dark;
    --paper: light-dark(#f5f7f7, #101415);
    --card: light-dark(#ffffff, #181d1f);
    --sunken: light-dark(#eef2f2, #12171899);
    --ink: light-dark(#162022, #e6ecec);
    --ink-soft: light-dark(#526064, #a3b0b3);
    --line: light-dark(#d5dddf, #2c3538);
    --line-strong: light-dark(#7b898d, #758286);
    --accent: light-dark(#0b6a5c, #5ed3ba);
    --accent-strong: light-dark(#08544a, #86e3cf);
    --accent-soft: light-dark(#e2f2ee, #14302b);
    --on-accent: light-dark(#ffffff, #06221c);
    --bad: light-dark(#a12a1d, #ffa599);
    --bad-soft: light-dark(#fbeae7, #38201d);
    --text-s: 0.8125rem;
    --text-m: 0.9375rem;
    --text-l: 1.1875rem;
    --text-xl: 1.75rem;
    --text-xxl: clamp(2rem, 1.4rem + 2.4vw, 2.75rem);
    --space-1: 0.25rem;
    --space-2: 0.5rem;
    --space-3: 0.75rem;
    --space-4: 1rem;
    --space-5: 1.5rem;
    --space-6: 2.25rem;
    --space-7: 3.5rem;
    --radius: 0.625rem;
    --sans: system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', Arial, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif;
    --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace;
  }
`

export const page = css`
  html {
    background: var(--paper);
    /* what is scrolled to stands below the tabs, which stay */
    scroll-padding-top: 4rem;
    -webkit-text-size-adjust: 100%;
  }
  body {
    margin: 0;
  }
`

/** What every component starts from. */
export const base = css`
  :host {
    display: block;
    color: var(--ink);
    font: var(--text-m) / 1.5 var(--sans);
    font-variant-numeric: tabular-nums;
  }
  :host([hidden]) {
    display: none;
  }
  *,
  ::before,
  ::after {
    box-sizing: border-box;
  }
  h1,
  h2,
  h3,
  p,
  dl,
  dd,
  ol,
  figure {
    margin: 0;
  }
  h2 {
    font-size: var(--text-l);
    line-height: 1.3;
    letter-spacing: -0.01em;
  }
  h3 {
    font-size: var(--text-m);
    line-height: 1.4;
  }
  p,
  dd,
  td {
    overflow-wrap: anywhere;
  }
  .plain {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .soft {
    color: var(--ink-soft);
  }
  .small {
    font-size: var(--text-s);
  }
  .mono {
    font-family: var(--mono);
    font-size: 0.92em;
  }
  .card {
    background: var(--card);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    padding: var(--space-5);
  }
  .stack {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: var(--space-4);
    align-content: start;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: var(--space-3);
    align-items: center;
  }
  button {
    min-height: 2.75rem;
    padding: var(--space-2) var(--space-4);
    border: 1px solid var(--line-strong);
    border-radius: calc(var(--radius) - 0.125rem);
    background: transparent;
    color: var(--ink);
    font: 600 var(--text-m) / 1.2 var(--sans);
    cursor: pointer;
  }
  button:hover:not(:disabled, [aria-disabled='true']) {
    border-color: var(--accent);
    color: var(--accent);
  }
  button.primary {
    border-color: var(--accent);
    background: var(--accent);
    color: var(--on-accent);
  }
  button.primary:hover:not(:disabled, [aria-disabled='true']) {
    border-color: var(--accent-strong);
    background: var(--accent-strong);
    color: var(--on-accent);
  }
  button:is(:disabled, [aria-disabled='true']) {
    border-color: var(--line);
    background: transparent;
    color: var(--ink-soft);
    cursor: default;
  }
  button.primary:is(:disabled, [aria-disabled='true']) {
    background: var(--sunken);
  }
  :focus-visible {
    outline: 2px solid var(--accent);
    outline-offset: 2px;
  }
  table {
    width: 100%;
    border-collapse: collapse;
  }
  th {
    color: var(--ink-soft);
    font-size: var(--text-s);
    font-weight: 600;
    text-align: start;
  }
  th,
  td {
    padding: var(--space-2) var(--space-3) var(--space-2) 0;
    border-bottom: 1px solid var(--line);
    text-align: start;
    vertical-align: top;
  }
  :is(th, td):last-child {
    padding-inline-end: 0;
  }
  .number {
    text-align: end;
  }
  .nowrap {
    white-space: nowrap;
  }
  .count {
    color: var(--ink-soft);
    font-weight: 400;
  }
  .fold > summary {
    font-size: var(--text-l);
    font-weight: 600;
    cursor: pointer;
  }
  .fold > summary > h2 {
    display: inline;
  }
  .fold > .stack {
    padding-top: var(--space-4);
  }
  .figures {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr);
    gap: var(--space-2) var(--space-5);
  }
  .figures dt {
    color: var(--ink-soft);
  }
  .failure {
    padding: var(--space-3) var(--space-4);
    border-inline-start: 3px solid var(--bad);
    border-radius: 0 var(--radius) var(--radius) 0;
    background: var(--bad-soft);
    color: var(--bad);
    overflow-wrap: anywhere;
  }
  .glyph {
    flex: none;
    width: 1em;
    height: 1em;
    vertical-align: -0.125em;
  }
  .visually-hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  @media (prefers-reduced-motion: no-preference) {
    button {
      transition:
        background-color 120ms,
        border-color 120ms,
        color 120ms;
    }
  }
  @media (max-width: 30rem) {
    .card {
      padding: var(--space-4);
    }
  }
`
