import { html, type TemplateResult } from 'lit'
import type { JobReceipt } from '../api.ts'
import { formatInteger, shortId } from './format.ts'
import { texts } from './texts/index.ts'

/** The receipt of a job: amounts in µcr, who was paid for what, and the records that prove it. */
export function jobReceipt(receipt: JobReceipt): TemplateResult {
  const { job } = texts
  const amount = (value: bigint) => html`${formatInteger(value)} µcr`
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
        <dt>${job.split}</dt>
        <dd>${receipt.split}</dd>
        <dt>${job.certainty}</dt>
        <dd>${job.certainties[receipt.certainty]}</dd>
      </dl>
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
                <td class="number">${amount(paid)}</td>
              </tr>
            `
          )}
        </tbody>
      </table>
      <dl class="figures small">
        ${receipt.escrows.map((id) => html`<dt>${job.escrow}</dt><dd class="mono">${id}</dd>`)}
        ${receipt.settles.map((id) => html`<dt>${job.settle}</dt><dd class="mono">${id}</dd>`)}
      </dl>
    </section>
  `
}
