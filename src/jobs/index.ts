/** The way of a job: the requester's side (plan, dispatch, verify, settle) and the provider's (sessions). */

export { JobError, type JobErrorCode } from './errors.ts'
export { type Away, awayMs, type Home, homeMs, type JobShape } from './estimate.ts'
export { JobHandle } from './job.ts'
export { checkRate, typedError } from './options.ts'
export { Pipelines, type PipelinesInit } from './pipeline/pipelines.ts'
export type { StageOrder } from './pipeline/plan.ts'
export { priceOf, RATE_DEFAULT } from './price.ts'
export { Provider, type ProviderInit, type Served } from './provider.ts'
export { shapeOf } from './quote.ts'
export { Quoter } from './quoter.ts'
export { type JobHooks, Requester, type RequesterInit } from './requester.ts'
export { DEPTH_MAX, Subtasks } from './subtasks.ts'
