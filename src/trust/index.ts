export { decay, learn, lowerBound, mean, type Outcome, type Trust, UNKNOWN } from './beta.ts'
