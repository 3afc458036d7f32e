import { css } from 'lit'

/** Labels, inputs and what stands below them. */
export const formStyles = css`
  .fields {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr));
    gap: var(--space-4);
    align-items: start;
  }
  .wide {
    grid-column: 1 / -1;
  }
  label,
  legend {
    display: block;
    margin-bottom: var(--space-1);
    padding: 0;
    font-size: var(--text-s);
    font-weight: 600;
  }
  fieldset {
    min-width: 0;
    margin: 0;
    padding: 0;
    border: 0;
  }
  input:not([type='range'], [type='radio'], [type='checkbox'], [type='file']),
  select,
  textarea {
    width: 100%;
    min-height: 2.75rem;
    padding: var(--space-2) var(--space-3);
    border: 1px solid var(--line-strong);
    border-radius: calc(var(--radius) - 0.125rem);
    background: var(--card);
    color: var(--ink);
    font: inherit;
  }
  textarea {
    min-height: 9rem;
    font-family: var(--mono);
    font-size: var(--text-s);
    resize: vertical;
  }
  input[type='file'] {
    max-width: 100%;
    font: var(--text-s) / 1.5 var(--sans);
    color: var(--ink-soft);
  }
  input[type='checkbox'],
  input[type='radio'] {
    flex: none;
    width: 1.15rem;
    height: 1.15rem;
    margin: 0;
    accent-color: var(--accent);
  }
  [aria-invalid='true'] {
    border-color: var(--bad);
    border-width: 2px;
  }
  .invalid {
    color: var(--bad);
    font-size: var(--text-s);
  }
  .source {
    display: grid;
    grid-template-columns: minmax(8rem, 12rem) minmax(0, 1fr);
    gap: var(--space-2) var(--space-4);
    align-items: center;
    padding: var(--space-3);
    border: 1px dashed var(--line-strong);
    border-radius: calc(var(--radius) - 0.125rem);
  }
  .over {
    border-color: var(--accent);
    background: var(--accent-soft);
  }
  .check {
    display: flex;
    gap: var(--space-3);
    align-items: center;
    margin: 0;
    min-height: 2rem;
    font-size: var(--text-m);
    font-weight: 400;
    cursor: pointer;
  }
  @media (max-width: 30rem) {
    .source {
      grid-template-columns: minmax(0, 1fr);
    }
  }
`
