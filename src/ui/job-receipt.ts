import { html, nothing, type TemplateResult } from 'lit'
import type { JobReceipt } from '../api.ts'
import { jsonBlob, saveAs } from './download.ts'
import { formatAmount, formatInteger, formatPercent, shortId } from './format.ts'
import { glyph } from './glyph.ts'
import { texts } from './texts/index.ts'

/** The receipt of a job: amounts in µcr, who was paid for what, and the records that prove it. */
export function jobReceipt(receipt: JobReceipt): TemplateResult {
  const { job } = texts
  const amount = formatAmount
  return html`
    <section
      id="job-receipt"
      class="stack"
      aria-labelledby="receipt-title"
      data-job=${receipt.jobId}
      data-price=${String(receipt.price)}
      data-paid=${String(receipt.paid)}
      data-refund=${String(receipt.refund)}
    >
      <h3 id="receipt-title">${job.receipt}</h3>
      <dl class="figures">
        <dt>${job.price}</dt>
        <dd>${amount(receipt.price)}</dd>
        <dt>${job.paid}</dt>
        <dd>${amount(receipt.paid)}</dd>
        <dt>${job.refund}</dt>
        <dd>${amount(receipt.refund)}</dd>
        <dt>${job.certainty}</dt>
        <dd>${job.certainties[receipt.certainty]}</dd>
      </dl>
      <p id="split" class="small">${splitText(receipt)}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">${job.provider}</th>
            <th scope="col" class="number">${job.units}</th>
            <th scope="col" class="number">${job.rejected}</th>
            <th scope="col" class="number">${job.paid}</th>
          </tr>
        </thead>
        <tbody>
          ${receipt.providers.map(
            ({ peer, units, rejected, paid }) => html`
              <tr data-peer=${peer}>
                <td class="mono nowrap" title=${peer}>${shortId(peer)}</td>
                <td class="number">${formatInteger(units)}</td>
                <td class="number">${formatInteger(rejected)}</td>
                <td class="number">
                  ${amount(paid)}
                  ${
                    receipt.paid === 0n
                      ? nothing
                      : html`<span class="soft">${formatPercent(Number(paid) / Number(receipt.paid))}</span>`
                  }
                </td>
              </tr>
            `
          )}
        </tbody>
      </table>
      <dl class="figures small">
        ${receipt.escrows.map((id) => html`<dt>${job.escrow}</dt><dd class="mono">${id}</dd>`)}
        ${receipt.settles.map((id) => html`<dt>${job.settle}</dt><dd class="mono">${id}</dd>`)}
      </dl>
      <div class="row">
        <button
          id="download-receipt"
          @click=${() => saveAs(`${receipt.jobId}-receipt.json`, jsonBlob(receipt))}
        >
          ${glyph('down')} ${job.downloads.receipt}
        </button>
      </div>
    </section>
  `
}

/** How the pay was shared, in words. */
function splitText({ split, providers }: JobReceipt): string {
  const { splits } = texts.job
  if (providers.length === 1) return splits.alone
  return split.startsWith('shapley') ? splits.shapley : splits.other(split.slice(0, 64))
}
