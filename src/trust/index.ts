export { decay, learn, lowerBound, mean, type Outcome, type Trust, UNKNOWN } from './beta.ts'
export { CANARY_SHARE, canaryDetection, sendsCanary } from './canaries.ts'
export {
  accepted,
  credibility,
  ERROR_MAX,
  FAULTY_SHARE,
  groupCredibilities,
  majorityError
} from './credibility.ts'
export {
  checked,
  holdback,
  mustReplicate,
  REPLICATE_ALL_BELOW,
  REPLICATION_MIN,
  type Replication,
  replicationShare,
  UNCHECKED
} from './replication.ts'
